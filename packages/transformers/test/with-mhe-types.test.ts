import * as library from '@huggingface/transformers';
import { withMhe } from '@mhe/transformers';
import { describe, expectTypeOf, it } from 'vitest';

const { AutoModel, AutoTokenizer, BertModel, cos_sim, pipeline } = withMhe(library);
type Options = NonNullable<Parameters<(typeof library)['AutoModel']['from_pretrained']>[1]>;
const mhe = { groups: { queryKey: 1, value: 4 }, calibration: ['the ferry', { image: 'cat.png' }] } as const;

describe('the types of withMhe', () => {
  it('add the option to classes of models and to pipeline, and change nothing else', () => {
    // Never called: only looked at by the type checker.
    const loads = () => [
      AutoModel.from_pretrained('bert', { mhe, dtype: 'fp32' }),
      BertModel.from_pretrained('bert', { mhe }),
      BertModel.from_pretrained('bert', { mhe: null }),
      // @ts-expect-error It needs to know what to swap.
      BertModel.from_pretrained('bert', { mhe: true }),
      // @ts-expect-error A tokenizer has no attention.
      AutoTokenizer.from_pretrained('bert', { mhe }),
      // @ts-expect-error It is a number or 'heads'.
      AutoModel.from_pretrained('bert', { mhe: { groups: 'all' } }),
    ];
    expectTypeOf(loads).toBeFunction();
    const embed = () => pipeline<library.FeatureExtractionPipeline>('feature-extraction', 'bert', { mhe });
    expectTypeOf(embed).returns.resolves.toEqualTypeOf<library.FeatureExtractionPipeline>();
    const plain = () => pipeline('feature-extraction', 'bert', { dtype: 'fp32' });
    expectTypeOf(plain).returns.resolves.toEqualTypeOf<library.FeatureExtractionPipeline>();
    const model = (options: Options) => AutoModel.from_pretrained('bert', { ...options, mhe });
    expectTypeOf(model).returns.resolves.toEqualTypeOf<library.PreTrainedModel>();
    expectTypeOf(cos_sim).toEqualTypeOf(library.cos_sim);
    expectTypeOf(AutoTokenizer).toEqualTypeOf(library.AutoTokenizer);
  });
});
