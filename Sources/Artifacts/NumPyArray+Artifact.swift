import Primitives
import Storage

extension NumPyArray: Artifact {
  package static let format = "numpy"
  package static let kind = "numpy array"
  package static func matches(_ candidate: ArtifactCandidate) -> Bool {
    candidate.name.hasSuffix(".npy") && candidate.head.starts(with: magic)
  }
  package static func open(_ path: String) throws -> NumPyArray { try NumPyArray(try MappedFile(path)) }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let file = try MappedFile(path)
    let array = try NumPyArray(file)
    let shape = array.shape.map(Format.count).joined(separator: " × ")
    let title = "\(kind) of \(shape) \(array.kind == "f" ? "floats" : "integers") of \(array.width) bytes"
    let first = file.withBytes { bytes in
      (0..<min(8 * lines, array.count)).compactMap { array.element($0, of: bytes) }.joined(separator: " ")
    }
    return first.isEmpty ? [title] : [title, "first elements: " + first]
  }

  /// An element as text.
  private func element(_ index: Int, of bytes: UnsafeRawBufferPointer) -> String? {
    let at = headerBytes + width * index
    switch (kind, width) {
    case ("u", 1): return "\(bytes[at])"
    case ("u", 2): return "\(bytes.integer(at: at, as: UInt16.self))"
    case ("u", 4): return "\(bytes.integer(at: at, as: UInt32.self))"
    case ("u", 8): return "\(bytes.integer(at: at, as: UInt64.self))"
    case ("i", 1): return "\(Int8(bitPattern: bytes[at]))"
    case ("i", 2): return "\(bytes.integer(at: at, as: Int16.self))"
    case ("i", 4): return "\(bytes.integer(at: at, as: Int32.self))"
    case ("i", 8): return "\(bytes.integer(at: at, as: Int64.self))"
    case ("f", 4): return Format.significant(Double(Float(bitPattern: bytes.integer(at: at))))
    case ("f", 8): return Format.significant(Double(bitPattern: bytes.integer(at: at)))
    default: return nil
    }
  }
}
