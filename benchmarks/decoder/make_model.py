"""Makes a model folder of transformers.js from a decoder of Llama type in a GGUF file, in fp32.

    python3.11 -m venv ~/decoder-venv
    ~/decoder-venv/bin/pip install -r requirements.txt
    ~/decoder-venv/bin/python make_model.py FILE.gguf FOLDER

The weights are those of the file, dequantised; the tokenizer is the file's too.
"""

import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / 'fixtures/transformers'))
sys.path.insert(0, str(Path(__file__).parents[2] / 'fixtures'))
warnings.filterwarnings('ignore')

import torch  # noqa: E402
from gguf import GGUFReader, TokenType  # noqa: E402
from optimum.exporters.onnx import onnx_export_from_model  # noqa: E402
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers  # noqa: E402
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedTokenizerFast  # noqa: E402

from tokens import save_tokens  # noqa: E402

SAMPLE = 'In 1957 the ferry , "Ørsted" , left at 7:05 .\n\n = Homarus gammarus = \n  It\'s 3 @.@ 7 km – naïve'


def read_tokenizer(file: Path) -> PreTrainedTokenizerFast:
    """The file's byte-level tokenizer, which takes every digit alone where the file says `smollm`."""
    fields = GGUFReader(file).fields
    read = lambda name: fields[f'tokenizer.{name}'].contents()  # noqa: E731
    if read('ggml.pre') != 'smollm':
        sys.exit(f'{file}: its tokenizer splits text as "{read("ggml.pre")}", and only "smollm" is known here')
    tokens = read('ggml.tokens')
    merges = [tuple(merge.split(' ')) for merge in read('ggml.merges')]
    tokenizer = Tokenizer(models.BPE({token: id for id, token in enumerate(tokens)}, merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, read('ggml.token_type'), strict=True) if kind == TokenType.CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in control])
    roles = {'bos': 'bos', 'eos': 'eos', 'unk': 'unknown', 'pad': 'padding'}
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=read('chat_template'),
        clean_up_tokenization_spaces=False,
        **{f'{role}_token': tokens[read(f'ggml.{name}_token_id')] for role, name in roles.items()},
    )
    decoded = made.decode(made(SAMPLE)['input_ids'])
    if decoded != SAMPLE:
        sys.exit(f'{file}: text does not come back from its tokenizer: {decoded!r}')
    return made


def main(file: Path, folder: Path) -> None:
    if folder.exists():
        sys.exit(f'{folder} exists: give another folder')
    tokenizer = read_tokenizer(file)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()
    special = {name: getattr(tokenizer, name) for name in ('bos_token_id', 'eos_token_id', 'pad_token_id')}
    model.config.update(special)
    model.generation_config = GenerationConfig(**special)
    onnx_export_from_model(model, folder, task='text-generation-with-past', opset=14, do_validation=False)
    (folder / 'onnx').mkdir()
    for path in folder.glob('*.onnx*'):
        path.rename(folder / 'onnx' / path.name)
    save_tokens(tokenizer, folder)
    print(json.dumps({path.name: path.stat().st_size for path in sorted(folder.rglob('*')) if path.is_file()}, indent=2))


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
