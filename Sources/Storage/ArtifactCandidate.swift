/// A file or folder whose type is wanted. Each part of it that a type asks for is read once.
package final class ArtifactCandidate {
  package let path: String
  /// The last component of the path.
  package let name: String
  package let isFolder: Bool
  /// The first bytes of a file, at most 16.
  package let head: [UInt8]

  /// - Throws: `WeirError` if the file cannot be read.
  package init(_ path: String) throws {
    self.path = path
    name = path.split(separator: "/").last.map(String.init) ?? path
    isFolder = Files.isFolder(path)
    head = isFolder ? [] : try MappedFile(path).withBytes { Array($0.prefix(16)) }
  }

  /// Whether a file starts like gzip or zstd.
  package var isCompressed: Bool {
    if head.starts(with: [0x1F, 0x8B]) || head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return true }
    return head.count >= 4 && head[0] & 0xF0 == 0x50 && head[1...3].elementsEqual([0x2A, 0x4D, 0x18])
  }

  package var isJSON: Bool { !isFolder && name.hasSuffix(".json") && !isCompressed }

  /// The content of a JSON file; nil for other files and if it is invalid.
  package private(set) lazy var json: JSONNode? = isJSON ? try? JSONDocument(Files.readWhole(path), place: path, lenient: true).root : nil

  /// The reader of a compressed file; nil for other files and if the first frame is damaged.
  package private(set) lazy var decompressed: ByteReader? = isCompressed ? try? ByteReader(path) : nil

  /// Whether a folder contains a file or folder.
  package func contains(_ name: String) -> Bool { isFolder && Files.exists(path + "/" + name) }

  /// Whether the content is a JSON object with these members.
  package func hasMembers(_ names: String...) -> Bool { json.map { json in names.allSatisfy { json[$0] != nil } } ?? false }
}
