import Tokenization

/// Which tokens stand for which bytes of a text.
enum TokenSpans {
  /// The tokens that overlap ranges of bytes, as ranges in ascending order that do not touch.
  static func tokens(_ ids: [UInt32], of spans: [Range<Int>], in text: [UInt8], _ tokenizer: Tokenizer) -> [Range<Int>] {
    let ends = ends(of: ids, in: text, tokenizer)
    var result: [Range<Int>] = []
    for span in spans {
      let range: Range<Int>
      if let ends {
        let first = ends.firstIndex { $0 > span.lowerBound } ?? ids.count
        range = first..<max(first, (ends.firstIndex { $0 >= span.upperBound } ?? ids.count - 1) + 1)
      } else {
        let (first, _) = commonPrefix(ids, text[..<span.lowerBound], tokenizer)
        let (last, isWhole) = commonPrefix(ids, text[..<span.upperBound], tokenizer)
        range = first..<max(first, isWhole ? last : last + 1)
      }
      guard !range.isEmpty else { continue }
      if let previous = result.last, previous.upperBound >= range.lowerBound {
        result[result.count - 1] = previous.lowerBound..<max(previous.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  /// The byte at which each token ends; nil where the tokenizer changes the text.
  private static func ends(of ids: [UInt32], in text: [UInt8], _ tokenizer: Tokenizer) -> [Int]? {
    var ends: [Int] = [], position = 0
    for id in ids {
      var bytes = tokenizer.bytes(of: id), start = position
      // Some tokens take white space with them, and some tokenizers put a space before a text.
      while start < text.count, !text[start...].starts(with: bytes), text[start] <= 0x20 { start += 1 }
      if !text[start...].starts(with: bytes) {
        guard bytes.first == 0x20, text[position...].starts(with: bytes.dropFirst()) else { return nil }
        (bytes, start) = (bytes.dropFirst(), position)
      }
      position = start + bytes.count
      ends.append(position)
    }
    return text[position...].allSatisfy { $0 <= 0x20 } ? ends : nil
  }

  /// The tokens that a beginning of the text has in common with the whole, and whether these are all of its own.
  private static func commonPrefix(_ ids: [UInt32], _ text: ArraySlice<UInt8>, _ tokenizer: Tokenizer) -> (count: Int, isWhole: Bool) {
    let own = tokenizer.encode(Array(text), allowsSpecials: true)
    let count = commonPrefix(ids, own)
    return (count, count == own.count)
  }

  static func commonPrefix(_ one: [UInt32], _ other: [UInt32]) -> Int { zip(one, other).prefix { $0 == $1 }.count }
}
