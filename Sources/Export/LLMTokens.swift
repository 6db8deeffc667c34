import Primitives
import Storage

/// llm.c's token files: a header of 256 i32, then u16 tokens (magic 20240520, version 1) or u32 ones (magic 20240801, version 7).
package enum LLMTokens {
  package static let headerBytes = 1_024

  private static func kind(tokenBytes: Int) -> (magic: Int32, version: Int32) { tokenBytes == 2 ? (20_240_520, 1) : (20_240_801, 7) }

  private static func word(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

  /// Whether a file begins as one of these.
  package static func isHead(_ head: [UInt8]) -> Bool { [2, 4].contains { head.starts(with: word(kind(tokenBytes: $0).magic)) } }

  /// The header of `count` tokens.
  package static func header(tokenBytes: Int, count: Int, place: String) throws -> [UInt8] {
    guard let words = Int32(exactly: count) else {
      throw WeirError(place, "\(count) tokens, more than llm.c's header can count", remedy: "split the document")
    }
    let kind = kind(tokenBytes: tokenBytes)
    let head = word(kind.magic) + word(kind.version) + word(words)
    return head + [UInt8](repeating: 0, count: headerBytes - head.count)
  }

  /// The type and the number of tokens; the header and the size are checked.
  package static func shape(_ file: MappedFile) throws -> (tokenBytes: Int, count: Int) {
    try file.withBytes { bytes in
      guard bytes.count >= headerBytes else { throw WeirError("\(file.path)@\(bytes.count)", "ends within its header of 1,024 bytes") }
      func word(_ index: Int) -> Int32 { Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)) }
      let tokenBytes = word(0) == kind(tokenBytes: 2).magic ? 2 : 4
      let version = kind(tokenBytes: tokenBytes).version
      guard word(0) == kind(tokenBytes: tokenBytes).magic else { throw WeirError("\(file.path)@0", "is not a token file of llm.c") }
      guard word(1) == version else { throw WeirError("\(file.path)@4", "version \(word(1)), expected \(version)") }
      let count = Int(word(2))
      guard count >= 0, bytes.count == headerBytes + tokenBytes * count else {
        throw WeirError("\(file.path)@8", "\(count) tokens do not fit a file of \(bytes.count) bytes")
      }
      return (tokenBytes, count)
    }
  }
}
