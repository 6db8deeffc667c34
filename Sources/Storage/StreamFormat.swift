import CZstd
import Primitives

/// The content of a weir stream.
package enum StreamKind: String, Sendable, Codable {
  /// JSON Lines, one document per line.
  case documents
  /// Token documents as binary records.
  case tokens
}

/// The stream between weir processes: a zstd frame between two skippable frames, which any zstd reader decodes. The end of a pipe does not tell
/// whether the upstream process finished or died; the second skippable frame, the end marker, does.
///
///     skippable frame 0x184D2A57: "WEIRHEAD", u32 version, kind          (in streams; files start like any .zst)
///     zstd frame, with a content checksum or with uncompressed blocks (`StoredFrame`)
///     skippable frame 0x184D2A57: "WEIRSTRM", u64 records, u64 XXH3-64 of the content, u32 version, kind
enum StreamFormat {
  static let magic: UInt32 = 0x184D_2A57
  static let version: UInt32 = 1
  static let head = Array("WEIRHEAD".utf8)
  static let tail = Array("WEIRSTRM".utf8)
  /// Maximum payload of a skippable frame of weir, in bytes.
  static let payloadLimit = 256

  struct EndMarker: Equatable {
    var records: UInt64
    var checksum: UInt64
    var kind: StreamKind
  }

  enum Frame: Equatable {
    case head(kind: StreamKind)
    case end(EndMarker)
    case foreign
  }

  static func encodeHead(_ kind: StreamKind) -> [UInt8] { frame(head + bytes(version) + Array(kind.rawValue.utf8)) }

  static func encode(_ marker: EndMarker) -> [UInt8] {
    frame(tail + bytes(marker.records) + bytes(marker.checksum) + bytes(version) + Array(marker.kind.rawValue.utf8))
  }

  /// Decodes a skippable frame.
  static func decode(magic: UInt32, payload: UnsafeRawBufferPointer, place: String) throws -> Frame {
    guard payload.count >= 12 else { return .foreign }
    let tag = payload.loadUnaligned(as: UInt64.self)
    for name in [head, tail] {
      let distance = (tag ^ name.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }).nonzeroBitCount
      // No frame of another program differs from one of weir by so few bits.
      if distance > 0 && distance <= 4 || distance == 0 && magic != Self.magic {
        throw WeirError(
          place, "is damaged (a frame differs from one of a weir stream by a few bits)",
          remedy: "fetch or write it again; nothing was committed")
      }
    }
    guard magic == Self.magic else { return .foreign }
    let isHead = payload[..<8].elementsEqual(head)
    guard isHead || payload[..<8].elementsEqual(tail) && payload.count >= 28 else { return .foreign }
    let found = payload.integer(at: isHead ? 8 : 24, as: UInt32.self)
    guard found == version else {
      throw WeirError(
        place, "is a weir stream of version \(found), expected version \(version)", remedy: "use the same version of weir on both ends")
    }
    guard let kind = StreamKind(rawValue: String(decoding: payload[(isHead ? 12 : 28)...], as: UTF8.self)) else {
      throw WeirError(
        place, "is a weir stream of an unknown kind, or is damaged",
        remedy: "fetch or write it again, or use the same version of weir on both ends; nothing was committed")
    }
    return isHead ? .head(kind: kind) : .end(EndMarker(records: payload.integer(at: 8), checksum: payload.integer(at: 16), kind: kind))
  }

  private static func frame(_ payload: [UInt8]) -> [UInt8] { bytes(magic) + bytes(UInt32(payload.count)) + payload }

  private static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}
