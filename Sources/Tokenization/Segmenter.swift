/// The state machines behind `Pretokenizer`, over bytes that stay put while it is used.
struct Segmenter {
  private let bytes: UnsafePointer<UInt8>
  private let count: Int
  private let classes: UnsafePointer<UInt8>
  private let kind: Pretokenizer
  private let digits: Int

  /// A segmenter of `buffer`, which must outlive it.
  init(_ buffer: UnsafeBufferPointer<UInt8>, kind: Pretokenizer) {
    classes = CharacterClass.table
    bytes = buffer.baseAddress ?? classes
    count = buffer.count
    self.kind = kind
    digits = kind == .qwen2 ? 1 : 3
  }

  /// The end of the pre-token that starts at `start < count`; always beyond `start`.
  @inline(__always)
  func end(from start: Int) -> Int {
    kind == .gpt2 ? endGPT2(start) : endModern(start)
  }

  /// The class and the length in bytes of the character at `index < count`.
  @inline(__always)
  private func look(_ index: Int) -> (kind: UInt8, length: Int) {
    let byte = bytes[index]
    if byte < 0x80 { return (classes[Int(byte)], 1) }
    return lookWide(index)
  }

  /// `look` for a byte that is not ASCII: the well-formed sequences of Unicode's table 3-7, anything else one symbol of one byte.
  private func lookWide(_ index: Int) -> (kind: UInt8, length: Int) {
    let lead = bytes[index]
    let left = count - index
    guard lead >= 0xC2, lead <= 0xF4, left >= 2 else { return (CharacterClass.other, 1) }
    let second = bytes[index + 1]
    guard second & 0xC0 == 0x80 else { return (CharacterClass.other, 1) }
    if lead < 0xE0 {
      return (classes[Int(lead & 0x1F) << 6 | Int(second & 0x3F)], 2)
    }
    guard left >= 3, bytes[index + 2] & 0xC0 == 0x80 else { return (CharacterClass.other, 1) }
    let third = bytes[index + 2]
    if lead < 0xF0 {
      if (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) { return (CharacterClass.other, 1) }
      return (classes[Int(lead & 0x0F) << 12 | Int(second & 0x3F) << 6 | Int(third & 0x3F)], 3)
    }
    guard left >= 4, bytes[index + 3] & 0xC0 == 0x80 else { return (CharacterClass.other, 1) }
    if (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F) { return (CharacterClass.other, 1) }
    let scalar = Int(lead & 0x07) << 18 | Int(second & 0x3F) << 12 | Int(third & 0x3F) << 6 | Int(bytes[index + 3] & 0x3F)
    return (scalar < CharacterClass.limit ? classes[scalar] : CharacterClass.other, 4)
  }

  /// The end of the run of `wanted` from `start`.
  @inline(__always)
  private func run(_ wanted: UInt8, from start: Int) -> Int {
    var index = start
    while index < count {
      let next = look(index)
      if next.kind != wanted { break }
      index += next.length
    }
    return index
  }

  /// GPT-2: contractions, then runs of one class with a blank before them, then white space that leaves its last character.
  private func endGPT2(_ start: Int) -> Int {
    if bytes[start] == 0x27 {
      let end = contraction(start, caseless: false)
      if end > 0 { return end }
    }
    var first = look(start)
    var index = start
    if bytes[start] == 0x20, start + 1 < count {
      let next = look(start + 1)
      if next.kind < CharacterClass.space {
        first = next
        index += 1
      }
    }
    if first.kind < CharacterClass.space { return run(first.kind, from: index + first.length) }
    return whiteSpace(start).end
  }

  /// cl100k, Llama 3 and Qwen 2.
  private func endModern(_ start: Int) -> Int {
    let first = look(start)
    if first.kind == CharacterClass.letter { return run(CharacterClass.letter, from: start + first.length) }
    if first.kind == CharacterClass.number {
      var index = start + first.length
      var taken = 1
      while taken < digits, index < count {
        let next = look(index)
        if next.kind != CharacterClass.number { break }
        index += next.length
        taken += 1
      }
      return index
    }
    if bytes[start] == 0x27 {
      let end = contraction(start, caseless: true)
      if end > 0 { return end }
    }
    // A symbol or a white space that is no newline goes with the letters after it, a blank also with symbols.
    let after = start + first.length
    if first.kind != CharacterClass.newline, after < count {
      let next = look(after)
      if next.kind == CharacterClass.letter { return run(CharacterClass.letter, from: after + next.length) }
      if next.kind == CharacterClass.other, bytes[start] == 0x20 { return newlines(run(CharacterClass.other, from: after + next.length)) }
    }
    if first.kind == CharacterClass.other { return newlines(run(CharacterClass.other, from: after)) }
    let space = whiteSpace(start)
    if space.run == count, kind == .cl100k { return count }
    return space.lastNewline > 0 ? space.lastNewline : space.end
  }

  /// The end of `[\r\n]*` from `start`.
  @inline(__always)
  private func newlines(_ start: Int) -> Int {
    var index = start
    while index < count, bytes[index] == 0x0A || bytes[index] == 0x0D { index += 1 }
    return index
  }

  /// The run of white space at `start`: its end; where `\s+(?!\S)|\s+` ends; and the end of its last newline, 0 without one.
  private func whiteSpace(_ start: Int) -> (run: Int, end: Int, lastNewline: Int) {
    var index = start
    var last = start
    var newline = 0
    while index < count {
      let next = look(index)
      if next.kind < CharacterClass.space { break }
      last = index
      index += next.length
      if next.kind == CharacterClass.newline { newline = index }
    }
    // Before something visible the last white space is left to it, unless it is the only one.
    return (index, index == count || last == start ? index : last, newline)
  }

  /// The end of the contraction at an apostrophe, 0 where there is none. Without regard to case U+017F (long s) is an s, too.
  private func contraction(_ start: Int, caseless: Bool) -> Int {
    guard start + 1 < count else { return 0 }
    let fold: UInt8 = caseless ? 0x20 : 0
    let first = bytes[start + 1] | fold
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
    default: break
    }
    guard start + 2 < count else { return 0 }
    if caseless, bytes[start + 1] == 0xC5, bytes[start + 2] == 0xBF { return start + 3 }
    let second = bytes[start + 2] | fold
    switch (first, second) {
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")), (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return start + 3
    default: return 0
    }
  }
}
