import Foundation
import Primitives
import Storage

/// NumPy's `.npy`: magic, version, and the length of a Python literal that describes the array, padded to 64 bytes; then the elements.
package struct NumPyArray: Sendable {
  package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The header of a row-major array of little-endian unsigned integers.
  /// - Parameter bytes: bytes per element: 1, 2, 4 or 8.
  package static func header(bytes: Int, shape: [Int]) -> [UInt8] { header(type: "<u\(bytes)", shape: shape) }

  /// Writes a one-dimensional float64 array atomically.
  package static func write(_ numbers: [Double], to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(header(type: "<f8", shape: [numbers.count]))
    try file.write(numbers.reduce(into: []) { $0.append(integer: $1.bitPattern) })
    _ = try file.commit()
  }

  /// Writes an int64 array atomically.
  package static func write(_ numbers: [Int64], shape: [Int], to path: String) throws -> FileRecord {
    let file = try AtomicFile(path)
    try file.write(header(type: "<i8", shape: shape))
    try file.write(numbers.reduce(into: []) { $0.append(integer: $1) })
    return try file.commit()
  }

  private static func header(type: String, shape: [Int]) -> [UInt8] {
    let dimensions = shape.count == 1 ? "\(shape[0])," : shape.map { "\($0)" }.joined(separator: ", ")
    var text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (\(dimensions)), }".utf8)
    text += [UInt8](repeating: 0x20, count: 63 - (10 + text.count) % 64) + [0x0A]
    return magic + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
  }

  /// The type of the elements: `i`, `u` or `f`.
  package let kind: Character
  /// Bytes per element.
  package let width: Int
  package let shape: [Int]
  /// The number of elements.
  package let count: Int
  /// The elements start here.
  package let headerBytes: Int

  /// Reads a row-major array of little-endian numbers, and checks its header and its size.
  package init(_ file: MappedFile) throws {
    (kind, width, shape, count, headerBytes) = try file.withBytes { bytes in
      let (text, headerBytes) = try Self.header(bytes, path: file.path)
      let header = /\{'descr': '[<|]([uif])([1248])', 'fortran_order': False, 'shape': \(((?:[0-9]{1,18}, ?)+[0-9]{0,18})\), \} *\n?/
      guard let match = text.wholeMatch(of: header), let kind = match.1.first, let width = Int(match.2) else {
        throw WeirError("\(file.path)@10", "is not a row-major array of little-endian numbers", remedy: "write it with numpy.save")
      }
      let shape = match.3.split(whereSeparator: { $0 == "," || $0 == " " }).compactMap { Int($0) }
      var count = 1
      for extent in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard !overflow, product <= bytes.count else {
          throw WeirError("\(file.path)@10", "\(shape) elements do not fit a file of \(bytes.count) bytes", remedy: "write it again")
        }
        count = product
      }
      guard bytes.count == headerBytes + width * count else {
        throw WeirError("\(file.path)@10", "\(count) elements do not fit a file of \(bytes.count) bytes", remedy: "write it again")
      }
      return (kind, width, shape, count, headerBytes)
    }
  }

  /// The Python literal in the header of version 1 or 2, and the size of the header.
  static func header(_ bytes: UnsafeRawBufferPointer, path: String) throws -> (literal: String, bytes: Int) {
    guard bytes.count >= 12, bytes.prefix(6).elementsEqual(magic), (1...2).contains(bytes[6]) else {
      throw WeirError("\(path)@0", "is not a NumPy array of version 1 or 2", remedy: "write it with numpy.save")
    }
    let start = bytes[6] == 2 ? 12 : 10
    let end = start + (start == 12 ? Int(bytes.integer(at: 8, as: UInt32.self)) : Int(bytes.integer(at: 8, as: UInt16.self)))
    guard bytes.count >= end else { throw WeirError("\(path)@\(bytes.count)", "ends within its header", remedy: "write it again") }
    return (String(decoding: bytes[start..<end], as: UTF8.self), end)
  }
}
