import { create, type DescField, type DescMessage, type Message, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type TensorProto, TensorProtoSchema } from 'onnx-buf';
import type { ByteRange } from '../tensor/external-range.js';

/** Some of a message's bytes, or where they are. */
export type Piece = Uint8Array | ByteRange;

/** A message in the wire format as consecutive pieces, so that large byte fields need not be copied together. */
export interface EncodedMessage {
  readonly pieces: readonly Piece[];
  readonly byteLength: number;
}

/** Where the raw data of a tensor is that was left in its file; `undefined` for one that was not. */
export type LeftData = (tensor: TensorProto) => ByteRange | undefined;

/** Byte fields from here on are pieces of their own: views of the message's data instead of copies. */
const LARGE = 2 ** 16;

/**
 * Encodes a message just as `toBinary` does, byte for byte, but with its large byte fields left where they are.
 *
 * @param desc - the message's type.
 * @param message - the message; its data must not change while the pieces are in use.
 * @param leftData - gives the data of tensors that have theirs in a file, and are encoded as if they held it.
 */
export function encodeMessage(
  desc: DescMessage,
  message: Message,
  leftData: LeftData = () => undefined,
): EncodedMessage {
  if (!holdsLargeBytes(desc, message, leftData)) {
    const bytes = toBinary(desc, message);
    return { pieces: [bytes], byteLength: bytes.byteLength };
  }
  const pieces: Piece[] = [];
  let byteLength = 0;
  const append = (piece: Piece) => {
    pieces.push(piece);
    byteLength += lengthOf(piece);
  };
  const appendDelimited = (field: DescField, encoded: EncodedMessage) => {
    append(new BinaryWriter().tag(field.number, WireType.LengthDelimited).uint32(encoded.byteLength).finish());
    encoded.pieces.forEach(append);
  };
  const left = leftOf(message, leftData);
  for (const field of [...desc.fields].sort((a, b) => a.number - b.number)) {
    if (left && field.localName === 'rawData') appendDelimited(field, { pieces: [left], byteLength: left.length });
    const value = left && saysWhere.has(field.localName) ? undefined : ownValue(message, field);
    if (value === undefined) continue;
    if (field.message !== undefined) {
      for (const item of messagesOf(value)) appendDelimited(field, encodeMessage(field.message, item, leftData));
    } else if (isLarge(value)) {
      appendDelimited(field, { pieces: [value], byteLength: value.byteLength });
    } else {
      append(toBinary(desc, create(desc, { [field.localName]: value })));
    }
  }
  if (message.$unknown !== undefined) {
    const unknown = create(desc);
    unknown.$unknown = message.$unknown;
    append(toBinary(desc, unknown));
  }
  return { pieces, byteLength };
}

/** Fields of a tensor that say where its data is. */
const saysWhere: ReadonlySet<string> = new Set(['rawData', 'externalData', 'dataLocation']);

/** Bytes of a piece. */
function lengthOf(piece: Piece): number {
  return piece instanceof Uint8Array ? piece.byteLength : piece.length;
}

function leftOf(message: Message, leftData: LeftData): ByteRange | undefined {
  return message.$typeName === TensorProtoSchema.typeName ? leftData(message as TensorProto) : undefined;
}

/** Whether a large byte field is anywhere in a message. */
function holdsLargeBytes(desc: DescMessage, message: Message, leftData: LeftData): boolean {
  if (leftOf(message, leftData)) return true;
  return desc.fields.some((field) => {
    const value = ownValue(message, field);
    if (field.message === undefined) return isLarge(value);
    const inner = field.message;
    return value !== undefined && messagesOf(value).some((item) => holdsLargeBytes(inner, item, leftData));
  });
}

/** A field's value where it is set; `undefined` also for the members of a oneof, none of which holds bytes in ONNX. */
function ownValue(message: Message, field: DescField): unknown {
  return Object.hasOwn(message, field.localName) ? message[field.localName as keyof Message] : undefined;
}

function messagesOf(value: unknown): readonly Message[] {
  return (Array.isArray(value) ? value : [value]) as Message[];
}

function isLarge(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength >= LARGE;
}
