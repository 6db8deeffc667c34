import Primitives
import Storage

/// The `.idx` of a Megatron indexed dataset (Megatron-LM `indexed_dataset.py`), one sequence per document; see docs/FORMATS.md.
///
/// `[0,9)` magic, `[9,17)` u64 version 1, `[17]` dtype, `[18,26)` u64 sequences, `[26,34)` u64 document entries (sequences + 1), then i32
/// lengths, i64 byte pointers, i64 document indices. Counts and offsets are 64 bits and checked before use.
package struct MegatronIndex: Sendable {
  package static let magic: [UInt8] = Array("MMIDIDX\0\0".utf8)
  package static let headerBytes = 34

  /// Bytes per token: 2 (u16) or 4 (i32).
  package let tokenBytes: Int
  /// The tokens of each document, including the end-of-document token.
  package let lengths: [Int32]

  /// Bytes per token for a vocabulary, by Megatron's rule.
  package static func tokenBytes(vocabulary: Int) -> Int { vocabulary < 65_500 ? 2 : 4 }

  /// Encodes the index of documents with `lengths` tokens.
  package static func encode(lengths: [Int32], tokenBytes: Int) -> [UInt8] {
    var bytes = magic
    bytes.reserveCapacity(headerBytes + 8 + lengths.count * 20)
    bytes.append(integer: UInt64(1))
    bytes.append(tokenBytes == 2 ? 8 : 4)
    bytes.append(integer: UInt64(lengths.count))
    bytes.append(integer: UInt64(lengths.count + 1))
    for length in lengths { bytes.append(integer: length) }
    var pointer: Int64 = 0
    for length in lengths {
      bytes.append(integer: pointer)
      pointer += Int64(length) * Int64(tokenBytes)
    }
    for index in 0...lengths.count { bytes.append(integer: Int64(index)) }
    return bytes
  }

  /// What the first bytes and the sizes of the two files say.
  struct Header {
    var tokenBytes: Int
    /// The number of documents.
    var count: Int

    /// - Throws: `WeirError` with path and byte.
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
      func wrong(_ offset: Int, _ reason: String) -> WeirError { MegatronIndex.wrong(path, offset, reason) }
      guard bytes.count >= headerBytes, bytes.prefix(9).elementsEqual(magic) else { throw wrong(0, "not a Megatron index") }
      func read<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T { bytes.integer(at: offset) }
      guard read(9, UInt64.self) == 1 else { throw wrong(9, "version \(read(9, UInt64.self)), expected 1") }
      switch bytes[17] {
      case 8: tokenBytes = 2
      case 4: tokenBytes = 4
      default: throw wrong(17, "token type \(bytes[17]), expected 8 (u16) or 4 (i32)")
      }
      let count = read(18, UInt64.self), room = UInt64(bytes.count - headerBytes)
      guard count <= room / 20, room == count * 20 + 8 else {
        throw wrong(18, "\(count) sequences do not fit a file of \(bytes.count) bytes")
      }
      guard read(26, UInt64.self) == count + 1 else {
        throw wrong(26, "\(read(26, UInt64.self)) document entries for \(count) sequences, expected one more")
      }
      self.count = Int(count)
    }

    /// Reads only the first bytes and the last entry.
    init(_ file: CheckedFile, dataBytes: Int) throws {
      self = try file.withBytes(0..<min(file.file.count, headerBytes)) { try Header($0, path: file.path) }
      let last = count > 0 ? try entry(count - 1, of: count, in: file) : (pointer: 0, length: 0)
      guard last.pointer + last.length * tokenBytes == dataBytes else {
        throw wrong(file.path, headerBytes, "the tokens end at byte \(last.pointer + last.length * tokenBytes), the .bin has \(dataBytes)")
      }
    }
  }

  /// The byte in the `.bin` where a document begins, and its tokens.
  static func entry(_ document: Int, of count: Int, in file: CheckedFile) throws -> (pointer: Int, length: Int) {
    let lengthAt = headerBytes + 4 * document, pointerAt = headerBytes + 4 * count + 8 * document
    try file.check(lengthAt..<lengthAt + 4)
    return try file.withBytes(pointerAt..<pointerAt + 8) { bytes in
      let pointer: Int64 = bytes.integer(at: pointerAt), length: Int32 = bytes.integer(at: lengthAt)
      return (Int(pointer), Int(length))
    }
  }

  private static func wrong(_ path: String, _ offset: Int, _ reason: String) -> WeirError {
    WeirError("\(path)@\(offset)", reason, remedy: "the dataset is damaged; make it again with `weir shard`")
  }

  /// Reads and checks an index.
  /// - Parameters:
  ///   - file: the `.idx`.
  ///   - dataBytes: the size of the `.bin`.
  /// - Throws: `WeirError` with path and byte.
  package init(_ file: MappedFile, dataBytes: Int) throws {
    (tokenBytes, lengths) = try file.withBytes { bytes in
      func wrong(_ offset: Int, _ reason: String) -> WeirError { Self.wrong(file.path, offset, reason) }
      func read<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T { bytes.integer(at: offset) }
      let header = try Header(bytes, path: file.path), tokenBytes = header.tokenBytes, documents = header.count
      var lengths: [Int32] = []
      lengths.reserveCapacity(documents)
      var pointer: Int64 = 0
      for index in 0..<documents {
        let length = read(Self.headerBytes + 4 * index, Int32.self)
        let at = Self.headerBytes + 4 * documents + 8 * index
        guard length >= 0 else { throw wrong(Self.headerBytes + 4 * index, "document \(index) has \(length) tokens") }
        guard read(at, Int64.self) == pointer else {
          throw wrong(at, "document \(index) starts at byte \(read(at, Int64.self)), expected \(pointer)")
        }
        lengths.append(length)
        pointer += Int64(length) * Int64(tokenBytes)
      }
      guard pointer == Int64(dataBytes) else {
        throw wrong(Self.headerBytes, "the lengths need \(pointer) bytes of tokens, the .bin has \(dataBytes)")
      }
      for index in 0...documents {
        let at = Self.headerBytes + 12 * documents + 8 * index
        guard read(at, Int64.self) == Int64(index) else { throw wrong(at, "document entry \(index) is \(read(at, Int64.self))") }
      }
      return (tokenBytes, lengths)
    }
  }
}
