import Foundation
import Primitives

/// Writes safetensors files: a u64 header size, a JSON header, and the tensors in the given order, without gaps.
package enum Safetensors {
  /// The maximum size of a header in bytes.
  package static let headerLimit = 100_000_000

  /// Writes a file atomically.
  /// - Parameter tensors: elements are row-major and little-endian.
  package static func write(
    _ path: String, tensors: [(name: String, dtype: DType, shape: [Int], bytes: [UInt8])], metadata: [String: String] = [:]
  ) throws -> FileRecord {
    let writer = try SafetensorsWriter(path, layout: tensors.map { ($0.name, $0.dtype, $0.shape) }, metadata: metadata)
    for tensor in tensors { try tensor.bytes.withUnsafeBytes { try writer.append($0) } }
    return try writer.commit()
  }

  /// Writes F32 tensors atomically.
  package static func write(
    _ path: String, floats: [(name: String, shape: [Int], values: [Float])], metadata: [String: String] = [:]
  ) throws -> FileRecord {
    let writer = try SafetensorsWriter(path, layout: floats.map { ($0.name, .F32, $0.shape) }, metadata: metadata)
    for tensor in floats { try tensor.values.withUnsafeBytes { try writer.append($0) } }
    return try writer.commit()
  }
}

/// Writes a safetensors file incrementally, in the order of its layout.
package final class SafetensorsWriter {
  private let file: AtomicFile
  private let path: String
  private var sizes: [Int] = []
  private var next = 0
  private var written = 0

  /// Creates the file and writes the header.
  /// - Parameter hashesBlocks: as in `AtomicFile`.
  package init(
    _ path: String, layout: [(name: String, dtype: DType, shape: [Int])], metadata: [String: String] = [:], hashesBlocks: Bool = false
  ) throws {
    self.path = path
    var header: [UInt8] = [0x7B]
    if !metadata.isEmpty { header += Array("\"__metadata__\":".utf8) + (try JSONFile.encode(metadata)) }
    var offset = 0
    var names: Set<String> = ["__metadata__"]
    for (name, dtype, shape) in layout {
      guard names.insert(name).inserted else { throw WeirError(path, "two tensors have the name \"\(name)\"") }
      let size = shape.reduce(dtype.size, *)
      sizes.append(size)
      if header.count > 1 { header.append(0x2C) }
      header += try JSONFile.encode(name)
      header += Array(":{\"dtype\":\"\(dtype.rawValue)\",\"shape\":[\(shape.map(String.init).joined(separator: ","))],".utf8)
      header += Array("\"data_offsets\":[\(offset),\(offset + size)]}".utf8)
      offset += size
    }
    header.append(0x7D)
    while header.count % 8 != 0 { header.append(0x20) }
    guard header.count <= Safetensors.headerLimit else {
      throw WeirError(path, "the header is larger than \(Safetensors.headerLimit) bytes")
    }
    file = try AtomicFile(path, hashesBlocks: hashesBlocks)
    try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
    try file.write(header)
  }

  /// Writes the next elements of the current tensor. A call must not span two tensors.
  package func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard !bytes.isEmpty else { return }
    while next < sizes.count, sizes[next] == 0 { next += 1 }
    precondition(next < sizes.count && written + bytes.count <= sizes[next], "the tensor's size differs from the layout")
    try file.write(bytes)
    written += bytes.count
    if written == sizes[next] { (next, written) = (next + 1, 0) }
  }

  package func append(_ floats: UnsafeBufferPointer<Float>) throws { try append(UnsafeRawBufferPointer(floats)) }

  /// Completes the file.
  package func commit() throws -> FileRecord {
    precondition(written == 0 && sizes[next...].allSatisfy { $0 == 0 }, "tensors of the layout are missing")
    return try file.commit()
  }
}
