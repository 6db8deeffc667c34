import Primitives

/// A memory-mapped safetensors file. Opening validates the whole header: its size, types, shapes, offsets without gaps or overlaps, and unique
/// names.
package final class SafetensorsFile: Sendable {
  private struct Entry: Sendable {
    var dtype: DType
    var shape: [Int]
    var range: Range<Int>
  }

  private let file: MappedFile
  private let entries: [String: Entry]
  /// The names of the tensors, in the order of their data.
  package let names: [String]
  package let metadata: [String: String]
  package var path: String { file.path }

  /// - Throws: `WeirError` with the byte offset where the file is invalid.
  package convenience init(_ path: String) throws { try self.init(MappedFile(path)) }

  /// - Throws: `WeirError` with the byte offset where the file is invalid.
  package init(_ file: MappedFile) throws {
    self.file = file
    let path = file.path
    guard file.count >= 8 else { throw WeirError("\(path)@\(file.count)", "ends before its header", remedy: "download it again") }
    let size = file.withBytes { $0.loadUnaligned(as: UInt64.self).littleEndian }
    guard size <= UInt64(Safetensors.headerLimit) else {
      throw WeirError("\(path)@0", "the header's size \(size) is above \(Safetensors.headerLimit): not a safetensors file")
    }
    let start = 8 + Int(size)
    guard start <= file.count else {
      throw WeirError("\(path)@\(file.count)", "ends within its header of \(size) bytes", remedy: "download it again")
    }
    let header = file.withBytes { Array($0[8..<start]) }
    guard header.first == 0x7B else { throw WeirError("\(path)@8", "the header does not begin with {: not a safetensors file") }
    let document = try JSONDocument(header, place: "\(path)@8")
    (entries, names, metadata) = try Self.validate(document.root, path: path, data: start..<file.count)
  }

  private static func validate(
    _ root: JSONNode, path: String, data: Range<Int>
  ) throws -> (entries: [String: Entry], names: [String], metadata: [String: String]) {
    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    var seenMetadata = false
    func wrong(_ reason: String) -> WeirError { WeirError("\(path)@8", reason, remedy: "the header is damaged; download the file again") }
    for (name, value) in root.object ?? [] {
      if name == "__metadata__" {
        guard !seenMetadata, let members = value.object else { throw wrong("__metadata__ is duplicated or not an object") }
        seenMetadata = true
        for (key, string) in members {
          guard let string = string.string, metadata.updateValue(string, forKey: key) == nil else {
            throw wrong("\"\(key)\" of __metadata__ is duplicated or not a string")
          }
        }
        continue
      }
      guard let type = value["dtype"]?.string, let shape = value["shape"]?.array, let offsets = value["data_offsets"]?.array,
        value.count == 3
      else { throw wrong("tensor \"\(name)\" needs dtype, shape and data_offsets, and nothing else") }
      guard let dtype = DType(rawValue: type) else {
        throw WeirError("\(path)@8", "tensor \"\(name)\" is of type \(type), which is not supported", remedy: "save it as F32, F16 or BF16")
      }
      let extents = shape.compactMap(\.int)
      guard extents.count == shape.count, extents.allSatisfy({ $0 >= 0 }) else { throw wrong("tensor \"\(name)\" has an invalid shape") }
      var size = dtype.size
      for extent in extents {
        let (product, overflow) = size.multipliedReportingOverflow(by: extent)
        guard !overflow else { throw wrong("tensor \"\(name)\" is too large") }
        size = product
      }
      guard offsets.count == 2, let from = offsets[0].int, let to = offsets[1].int, from >= 0, to >= from, to <= data.count,
        to - from == size
      else { throw wrong("tensor \"\(name)\" has data_offsets that do not fit its shape or the file") }
      let entry = Entry(dtype: dtype, shape: extents, range: data.lowerBound + from..<data.lowerBound + to)
      guard entries.updateValue(entry, forKey: name) == nil else { throw wrong("tensor \"\(name)\" is duplicated") }
    }
    let order = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key) < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    var end = data.lowerBound
    for (name, entry) in order {
      guard entry.range.lowerBound == end else {
        throw WeirError(
          "\(path)@\(end)", "tensor \"\(name)\" leaves a gap or overlaps another", remedy: "the header is damaged; download the file again")
      }
      end = entry.range.upperBound
    }
    guard end == data.upperBound else {
      throw WeirError("\(path)@\(end)", "\(data.upperBound - end) bytes follow the last tensor", remedy: "download the file again")
    }
    return (entries, order.map(\.key), metadata)
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = entries[name] else { throw WeirError(path, "has no tensor \"\(name)\"") }
    return entry
  }

  /// The shape of a tensor; nil where it does not exist.
  package func shape(_ name: String) -> [Int]? { entries[name]?.shape }

  /// The bytes of a tensor in the file; nil where it does not exist.
  package func range(_ name: String) -> Range<Int>? { entries[name]?.range }

  /// The element type of a tensor; nil where it does not exist.
  package func dtype(_ name: String) -> DType? { entries[name]?.dtype }

  /// Calls `body` with the bytes of a tensor, which are valid during the call.
  package func withBytes<R>(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let entry = try entry(name)
    return try file.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[entry.range])) }
  }

  /// The elements of an F32, F16, BF16 or F64 tensor, row-major.
  package func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    return try withBytes(name) { bytes in
      let count = bytes.count / entry.dtype.size
      func load<T: FixedWidthInteger>(_: T.Type, _ convert: (T) -> Float) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, done in
          for index in 0..<count {
            buffer[index] = convert(T(littleEndian: bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self)))
          }
          done = count
        }
      }
      switch entry.dtype {
      case .F32: return load(UInt32.self) { Float(bitPattern: $0) }
      case .F16: return load(UInt16.self, HalfPrecision.float16)
      case .BF16: return load(UInt16.self, HalfPrecision.bfloat16)
      case .F64: return load(UInt64.self) { Float(Double(bitPattern: $0)) }
      default: throw WeirError(path, "tensor \"\(name)\" is \(entry.dtype.rawValue), not a floating-point type")
      }
    }
  }

  /// Calls `body` with the elements of a tensor, which are valid during the call. An aligned F32 tensor is not copied.
  package func withFloats<R>(_ name: String, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
    if try entry(name).dtype == .F32 {
      let mapped: R? = try withBytes(name) { bytes in
        guard Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0 else { return nil }
        return try body(bytes.assumingMemoryBound(to: Float.self))
      }
      if let mapped { return mapped }
    }
    return try floats(name).withUnsafeBufferPointer(body)
  }
}
