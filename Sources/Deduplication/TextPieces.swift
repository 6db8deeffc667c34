import Foundation

/// Where the lines and paragraphs of a text are. Linear in the text.
enum TextPieces {
  /// The lines that are not blank, without their newlines.
  static func lines(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    forEachLine(text) { line, blank in if !blank { lines.append(line) } }
    return lines
  }

  /// The paragraphs, without the blank lines between them: at blank lines where there is one between two paragraphs, otherwise at
  /// line ends.
  static func paragraphs(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var paragraphs: [Range<Int>] = []
    var open = false
    forEachLine(text) { line, blank in
      if blank {
        open = false
      } else if open {
        paragraphs[paragraphs.count - 1] = paragraphs[paragraphs.count - 1].lowerBound..<line.upperBound
      } else {
        paragraphs.append(line)
        open = true
      }
    }
    return paragraphs.count > 1 ? paragraphs : lines(text)
  }

  /// Other white space than ASCII's in a line of its own does not make the line blank.
  private static func forEachLine(_ text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>, Bool) -> Void) {
    guard let base = text.baseAddress else { return }
    var start = 0
    while start < text.count {
      let end = memchr(base + start, 0x0A, text.count - start).map { UnsafeRawPointer($0) - UnsafeRawPointer(base) } ?? text.count
      var first = start
      while first < end, text[first] <= 0x20 { first += 1 }
      body(start..<end, first == end)
      start = end + 1
    }
  }
}
