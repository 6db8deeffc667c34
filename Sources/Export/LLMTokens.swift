import Primitives
import Storage

/// A token file of llm.c: a header of 256 i32, then u16 tokens (magic 20240520, version 1) or u32 tokens (magic 20240801, version 7).
package struct LLMTokens: Sendable {
  package static let headerBytes = 1_024

  private static func variant(width: Int) -> (magic: Int32, version: Int32) { width == 2 ? (20_240_520, 1) : (20_240_801, 7) }

  private static func word(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

  /// Whether these are the first bytes of such a file.
  package static func isHead(_ head: [UInt8]) -> Bool { [2, 4].contains { head.starts(with: word(variant(width: $0).magic)) } }

  /// The header of `count` tokens.
  package static func header(width: Int, count: Int, place: String) throws -> [UInt8] {
    guard let words = Int32(exactly: count) else {
      throw WeirError(place, "has \(count) tokens, more than the header of llm.c can count", remedy: "split the document")
    }
    let kind = variant(width: width)
    let head = word(kind.magic) + word(kind.version) + word(words)
    return head + [UInt8](repeating: 0, count: headerBytes - head.count)
  }

  /// Bytes per token.
  package let width: Int
  package let count: Int

  /// Reads and checks the header, and the size of the file.
  package init(_ file: MappedFile) throws {
    (width, count) = try file.withBytes { bytes in
      guard bytes.count >= Self.headerBytes else {
        throw WeirError("\(file.path)@\(bytes.count)", "ends within its header of \(Self.headerBytes) bytes")
      }
      func word(_ index: Int) -> Int32 { bytes.integer(at: 4 * index) }
      let width = word(0) == Self.variant(width: 2).magic ? 2 : 4
      let (magic, version) = Self.variant(width: width)
      guard word(0) == magic else { throw WeirError("\(file.path)@0", "is not a token file of llm.c") }
      guard word(1) == version else { throw WeirError("\(file.path)@4", "version \(word(1)), expected \(version)") }
      let count = Int(word(2))
      guard count >= 0, bytes.count == Self.headerBytes + width * count else {
        throw WeirError("\(file.path)@8", "\(count) tokens do not fit a file of \(bytes.count) bytes")
      }
      return (width, count)
    }
  }
}
