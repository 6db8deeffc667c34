import Primitives
import Storage

/// The index of a Megatron shard (`.idx`): for every sequence its length and its place in the `.bin`.
///
/// Layout (Megatron-LM, `megatron/core/datasets/indexed_dataset.py`), little-endian: `MMIDIDX\0\0`; u64 version 1; u8 dtype; u64
/// sequences; u64 documents + 1; i32 lengths; i64 byte pointers; i64 document indices; optional i8 modes.
public struct MegatronIndex: Sendable, Equatable {
  static let magic = Array("MMIDIDX\0\0".utf8)
  static let headerSize = 34

  /// The element types of a `.bin` by their code.
  public enum Element: UInt8, Sendable {
    case uint8 = 1, int8, int16, int32, int64, float64, float32, uint16

    /// Bytes of an element.
    public var size: Int {
      switch self {
      case .uint8, .int8: 1
      case .int16, .uint16: 2
      case .int32, .float32: 4
      case .int64, .float64: 8
      }
    }

    /// The type for a vocabulary: u16 below 65,500 entries, i32 from there.
    public static func of(vocabulary: Int) -> Element { vocabulary < 65_500 ? .uint16 : .int32 }
  }

  /// The element type.
  public var element: Element
  /// Tokens of each sequence.
  public var lengths: [Int32]
  /// Byte offsets of the sequences in the `.bin`.
  public var pointers: [Int64]
  /// The first sequence of each document, and the number of sequences.
  public var documents: [Int64]

  /// Creates the index of sequences that follow one another without gaps, one per document.
  public init(element: Element, lengths: [Int32]) {
    self.element = element
    self.lengths = lengths
    var pointer: Int64 = 0
    pointers = lengths.map { length in
      defer { pointer += Int64(length) * Int64(element.size) }
      return pointer
    }
    documents = (0...Int64(lengths.count)).map { $0 }
  }

  /// Reads and validates an index.
  /// - Parameters:
  ///   - bytes: the file.
  ///   - path: what messages call it.
  ///   - binSize: bytes of the `.bin`, that every sequence must lie within.
  /// - Throws: `WeirError` with the byte that is wrong.
  public init(_ bytes: UnsafeRawBufferPointer, path: String, binSize: Int) throws {
    func wrong(_ byte: Int, _ reason: String) -> WeirError { WeirError("\(path)@\(byte)", reason, remedy: "write the shard again") }
    guard bytes.count >= Self.headerSize else { throw wrong(bytes.count, "ends within the header of \(Self.headerSize) bytes") }
    guard bytes[..<9].elementsEqual(Self.magic) else { throw wrong(0, "is no Megatron index (MMIDIDX)") }
    func load<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T { T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    let version = load(9, UInt64.self)
    guard version == 1 else { throw wrong(9, "has version \(version), not 1") }
    guard let element = Element(rawValue: bytes[17]) else { throw wrong(17, "has the unknown element type \(bytes[17])") }
    // Every sequence takes 12 bytes and every document 8, so that counts above the file's size cannot overflow below.
    let (sequences, documentsCount) = (load(18, UInt64.self), load(26, UInt64.self))
    guard sequences <= UInt64(bytes.count) / 12, documentsCount >= 1, documentsCount <= UInt64(bytes.count) / 8 else {
      throw wrong(18, "says \(sequences) sequences and \(documentsCount) documents, more than the file holds")
    }
    let (count, documentCount) = (Int(sequences), Int(documentsCount))
    let size = Self.headerSize + 12 * count + 8 * documentCount
    guard bytes.count == size || bytes.count == size + count else { throw wrong(bytes.count, "has \(bytes.count) bytes, its header says \(size)") }
    self.element = element
    lengths = (0..<count).map { load(Self.headerSize + 4 * $0, Int32.self) }
    pointers = (0..<count).map { load(Self.headerSize + 4 * count + 8 * $0, Int64.self) }
    documents = (0..<documentCount).map { load(Self.headerSize + 12 * count + 8 * $0, Int64.self) }
    var end: Int64 = 0
    for index in 0..<count {
      let length = lengths[index]
      guard length >= 0 else { throw wrong(Self.headerSize + 4 * index, "sequence \(index) has the length \(length)") }
      let place = Self.headerSize + 4 * count + 8 * index
      let (next, overflow) = pointers[index].addingReportingOverflow(Int64(length) * Int64(element.size))
      guard pointers[index] >= end, !overflow else { throw wrong(place, "sequence \(index) begins before the last one ends") }
      guard next <= Int64(binSize) else { throw wrong(place, "sequence \(index) ends at byte \(next), the .bin has \(binSize)") }
      end = next
    }
    var last: Int64 = 0
    for (index, first) in documents.enumerated() {
      guard first >= last, first <= Int64(count), index > 0 || first == 0 else {
        throw wrong(Self.headerSize + 12 * count + 8 * index, "document \(index) begins at sequence \(first)")
      }
      last = first
    }
    guard last == Int64(count) else { throw wrong(bytes.count - 8, "the documents end at sequence \(last) of \(count)") }
  }

  /// The file's bytes.
  public func encode() -> [UInt8] {
    var bytes = Self.magic
    bytes.reserveCapacity(Self.headerSize + 12 * lengths.count + 8 * documents.count)
    func append<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    append(UInt64(1))
    append(element.rawValue)
    append(UInt64(lengths.count))
    append(UInt64(documents.count))
    lengths.forEach(append)
    pointers.forEach(append)
    documents.forEach(append)
    return bytes
  }
}
