import type { DescMessage } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { OnnxFileError } from './onnx-file-error.js';
import { type FieldRule, HEAP, wireRules } from './wire-rules.js';

/** As protobuf in C++ and `@bufbuild/protobuf` have it; a subgraph takes three levels. */
const MAX_DEPTH = 100;
/** Of one message. V8 ends the process when it cannot grow an array beyond about 2^27. */
const MAX_NUMBERS = 2 ** 26;
/** Of what the parsed message would take beside the file's own buffer: half of what Node allows by default. */
const MAX_HEAP_GIB = 2;

/**
 * Checks that bytes are a well-formed message of a type before they are parsed: every length inside its parent,
 * every field of its declared kind, text in UTF-8 (else it could not be kept), nesting and memory within bounds. The
 * parser itself takes the file at its word. One pass that skips the weights and allocates next to nothing.
 *
 * @param bytes - the whole message.
 * @param schema - its type.
 * @param file - what an error message calls it.
 * @throws OnnxFileError - `damaged` where the message is cut short or inconsistent, `not-onnx` where it does not look
 *   like one of this type at all, `too-large` where parsing it would take too much memory.
 */
export function checkWire(bytes: Uint8Array, schema: DescMessage, file: string): void {
  new WireChecker(bytes, file).message(schema, bytes.byteLength, 0);
}

class WireChecker {
  private at = 0;
  private heap = 0;
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true });

  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string,
  ) {}

  /** From the current position to `end`. */
  message(desc: DescMessage, end: number, depth: number): void {
    const rules = wireRules(desc);
    let numbers = 0;
    while (this.at < end) {
      const tag = this.tag(end, depth);
      const [number, wireType]: [number, WireType] = [tag >>> 3, tag & 7];
      const rule = rules.get(number);
      if (rule === undefined) {
        this.unknown(number, wireType, end, depth);
        this.spend(HEAP.bytes);
      } else if (wireType === WireType.LengthDelimited && wireType === rule.wireType) {
        this.delimited(rule, desc, end, depth);
      } else if (wireType === rule.wireType || (wireType === WireType.LengthDelimited && rule.packable)) {
        const count = wireType === rule.wireType ? this.number(wireType, end, depth) : this.packed(rule, end, depth);
        numbers += count;
        this.spend(count * rule.heap);
        if (numbers > MAX_NUMBERS) throw this.tooLarge(`more than ${MAX_NUMBERS} numbers in one list`);
      } else {
        throw this.wrong(`the wrong kind of value for ${desc.typeName}.${rule.name}`, depth);
      }
    }
  }

  private delimited(rule: FieldRule, parent: DescMessage, end: number, depth: number): void {
    const length = this.length(end, depth);
    const to = this.at + length;
    this.spend(rule.heap + (rule.text ? length : 0));
    if (rule.message !== null) {
      if (depth + 1 >= MAX_DEPTH) throw this.wrong(`more than ${MAX_DEPTH} messages inside each other`, depth);
      this.message(rule.message, to, depth + 1);
    } else if (rule.text && !this.isUtf8(to)) {
      throw this.damaged(`the text in ${parent.typeName}.${rule.name} is not UTF-8`);
    }
    this.at = to;
  }

  /** Past a number; how many there were. */
  private number(wireType: WireType, end: number, depth: number): 1 {
    if (wireType === WireType.Varint) this.varint(end, depth);
    else this.skip(wireType === WireType.Bit64 ? 8 : 4, end, depth);
    return 1;
  }

  /** Past a packed list of numbers; how many there were. */
  private packed({ wireType }: FieldRule, end: number, depth: number): number {
    const length = this.length(end, depth);
    const to = this.at + length;
    let count = 0;
    if (wireType === WireType.Varint) {
      for (; this.at < to; count++) this.varint(to, depth + 1);
    } else {
      count = length / (wireType === WireType.Bit64 ? 8 : 4);
      if (!Number.isInteger(count)) throw this.damaged('a list ends inside a number');
      this.at = to;
    }
    return count;
  }

  /** Past a field that this version of ONNX does not know; it is kept, groups included. */
  private unknown(number: number, wireType: WireType, end: number, depth: number): void {
    if (wireType === WireType.LengthDelimited) this.skip(this.varint(end, depth), end, depth);
    else if (wireType === WireType.EndGroup) throw this.wrong('the end of a group that never began', depth);
    else if (wireType !== WireType.StartGroup) this.number(wireType, end, depth);
    else {
      if (depth + 1 >= MAX_DEPTH) throw this.wrong(`more than ${MAX_DEPTH} messages inside each other`, depth);
      for (;;) {
        const inner = this.tag(end, depth);
        if ((inner & 7) !== WireType.EndGroup) this.unknown(inner >>> 3, inner & 7, end, depth + 1);
        else if (inner >>> 3 === number) return;
        else throw this.wrong('a group that another one ends', depth);
      }
    }
  }

  /** A field's number and, in the lowest three bits, the kind of its value. */
  private tag(end: number, depth: number): number {
    const tag = this.varint(end, depth);
    if (tag < 8 || tag > 0xffffffff || (tag & 7) > 5) throw this.wrong(`no field has the tag ${tag}`, depth);
    return tag;
  }

  private varint(end: number, depth: number): number {
    // Most are of one byte: tags, lengths, flags.
    if (this.at < end && (this.bytes[this.at] as number) < 0x80) return this.bytes[this.at++] as number;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= end) throw this.overrun(1, depth);
      const byte = this.bytes[this.at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw this.wrong('a number of more than 10 bytes', depth);
  }

  /** A length, checked to end inside its message. */
  private length(end: number, depth: number): number {
    const length = this.varint(end, depth);
    if (length > end - this.at) throw this.overrun(length - (end - this.at), depth);
    return length;
  }

  private skip(length: number, end: number, depth: number): void {
    if (length > end - this.at) throw this.overrun(length - (end - this.at), depth);
    this.at += length;
  }

  private isUtf8(to: number): boolean {
    let from = this.at;
    while (from < to && (this.bytes[from] as number) < 0x80) from++;
    if (from === to) return true;
    try {
      this.utf8.decode(this.bytes.subarray(from, to));
      return true;
    } catch {
      return false;
    }
  }

  private spend(bytes: number): void {
    this.heap += bytes;
    if (this.heap > MAX_HEAP_GIB * 2 ** 30)
      throw this.tooLarge(`more than ${MAX_HEAP_GIB} GB of objects to make of it`);
  }

  private overrun(missing: number, depth: number): OnnxFileError {
    // Inside, the length of some message around it would have been too long before.
    if (depth > 0) return this.damaged('a length leaves the message that it is in');
    const what = `it is cut short: it has ${this.bytes.byteLength} bytes, and at least ${missing} more belong to it`;
    return new OnnxFileError(this.file, 'damaged', what, 'Download or export it again');
  }

  private wrong(what: string, depth: number): OnnxFileError {
    if (depth > 0) return this.damaged(what);
    return new OnnxFileError(
      this.file,
      'not-onnx',
      `it is not an ONNX model (${what})`,
      'Check that it is the right file',
    );
  }

  private damaged(what: string): OnnxFileError {
    const where = `near byte ${this.at}`;
    return new OnnxFileError(this.file, 'damaged', `it is damaged (${what}, ${where})`, 'Download or export it again');
  }

  private tooLarge(what: string): OnnxFileError {
    return new OnnxFileError(
      this.file,
      'too-large',
      `it cannot be held in memory (${what})`,
      'Save its weights as raw data',
    );
  }
}
