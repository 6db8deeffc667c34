import CJSON
import CKernels

/// Where the lines and paragraphs of a text are. Linear in the text.
package enum TextPieces {
  /// The lines that are not blank, without their newlines. Other white space than ASCII's in a line of its own does not make it blank.
  package static func lines(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] { pieces(text, weir_text_lines) }

  /// The paragraphs, without the blank lines between them: at blank lines where there is one between two paragraphs, otherwise at
  /// line ends.
  package static func paragraphs(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    let paragraphs = pieces(text, weir_text_paragraphs)
    return paragraphs.count > 1 ? paragraphs : lines(text)
  }

  private static func pieces(
    _ text: UnsafeBufferPointer<UInt8>, _ find: (UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<Int>?) -> Int
  ) -> [Range<Int>] {
    [Range<Int>](unsafeUninitializedCapacity: weir_json_newlines(text.baseAddress, text.count) + 1) { pieces, count in
      // A range is its two ends.
      count = pieces.withMemoryRebound(to: Int.self) { find(text.baseAddress, text.count, $0.baseAddress) }
    }
  }
}
