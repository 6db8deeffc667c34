import CJSON
import CKernels

/// Finds the lines and paragraphs of a text in linear time.
package enum TextPieces {
  /// The lines that are not blank, without their newlines. Only ASCII whitespace counts as blank.
  package static func lines(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] { pieces(text, weir_text_lines) }

  /// The paragraphs, without the blank lines between them. A text without blank lines between paragraphs is split into lines.
  package static func paragraphs(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    let paragraphs = pieces(text, weir_text_paragraphs)
    return paragraphs.count > 1 ? paragraphs : lines(text)
  }

  private static func pieces(
    _ text: UnsafeBufferPointer<UInt8>, _ find: (UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<Int>?) -> Int
  ) -> [Range<Int>] {
    [Range<Int>](unsafeUninitializedCapacity: weir_json_newlines(text.baseAddress, text.count) + 1) { pieces, count in
      // A `Range<Int>` is laid out as its two bounds.
      count = pieces.withMemoryRebound(to: Int.self) { find(text.baseAddress, text.count, $0.baseAddress) }
    }
  }
}
