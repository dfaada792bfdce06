import { create, type DescField, type DescMessage, type Message, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A message in the wire format as consecutive pieces, so that large byte fields need not be copied together. */
export interface EncodedMessage {
  readonly pieces: readonly Uint8Array[];
  readonly byteLength: number;
}

/** Byte fields from here on are pieces of their own: views of the message's data instead of copies. */
const LARGE = 2 ** 16;

/**
 * Encodes a message just as `toBinary` does, byte for byte, but with its large byte fields left where they are.
 *
 * @param desc - the message's type.
 * @param message - the message; its data must not change while the pieces are in use.
 */
export function encodeMessage(desc: DescMessage, message: Message): EncodedMessage {
  if (!holdsLargeBytes(desc, message)) {
    const bytes = toBinary(desc, message);
    return { pieces: [bytes], byteLength: bytes.byteLength };
  }
  const pieces: Uint8Array[] = [];
  let byteLength = 0;
  const append = (piece: Uint8Array) => {
    pieces.push(piece);
    byteLength += piece.byteLength;
  };
  const appendDelimited = (field: DescField, encoded: EncodedMessage) => {
    append(new BinaryWriter().tag(field.number, WireType.LengthDelimited).uint32(encoded.byteLength).finish());
    encoded.pieces.forEach(append);
  };
  for (const field of [...desc.fields].sort((a, b) => a.number - b.number)) {
    const value = ownValue(message, field);
    if (value === undefined) continue;
    if (field.message !== undefined) {
      for (const item of messagesOf(value)) appendDelimited(field, encodeMessage(field.message, item));
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

/** Whether a large byte field is anywhere in a message. */
function holdsLargeBytes(desc: DescMessage, message: Message): boolean {
  return desc.fields.some((field) => {
    const value = ownValue(message, field);
    if (field.message === undefined) return isLarge(value);
    const inner = field.message;
    return value !== undefined && messagesOf(value).some((item) => holdsLargeBytes(inner, item));
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
