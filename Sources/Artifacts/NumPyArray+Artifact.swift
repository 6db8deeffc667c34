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
    let title = "\(kind) of \(Format.count(array.count)) integers of \(array.width) bytes"
    guard [2, 4].contains(array.width) else { return [title] }
    let first = file.integers(at: array.headerBytes, width: array.width, count: min(8 * lines, array.count))
    return [title, "first elements: " + first.map(String.init).joined(separator: " ")]
  }
}
