import Primitives

/// The checksums of files in a folder that has no manifest because it grows, such as a run: `FOLDER/checksums.json`. A file is on the list while
/// nothing writes to it; the step that finishes it adds it.
package struct ChecksumList: Codable, Sendable, Equatable {
  package static let fileName = "checksums.json"

  private var format = "weir.checksums.1"
  /// Sorted by name; names are relative to the folder.
  package private(set) var files: [FileRecord] = []

  /// Reads the list of a folder; nil where there is none.
  /// - Throws: `WeirError` where it was changed or is invalid.
  package static func read(_ folder: String) throws -> ChecksumList? {
    let path = folder + "/" + fileName
    guard Files.exists(path) else { return nil }
    let text = try Files.readWhole(path)
    if let reason = JSONSeal.file.problem(of: text) {
      throw WeirError(path, reason, remedy: "remove it if the files of the folder are as they should be")
    }
    let list = try JSONFile.decode(ChecksumList.self, from: text, place: path)
    guard list.format == ChecksumList().format, list.files.allSatisfy(\.isValid) else {
      throw WeirError(path, "is not a list of checksums", remedy: "remove it")
    }
    return list
  }

  /// Takes files from the list before they are written.
  package static func remove(_ names: [String], in folder: String) throws {
    guard var list = try read(folder), list.files.contains(where: { names.contains($0.name) }) else { return }
    list.files.removeAll { names.contains($0.name) }
    try JSONFile.writeSealed(list, to: folder + "/" + fileName)
  }

  /// Puts the files on the list that exist.
  package static func add(_ names: [String], in folder: String) throws {
    var list = try read(folder) ?? ChecksumList()
    list.files.removeAll { names.contains($0.name) }
    for name in names where Files.exists(folder + "/" + name) {
      list.files.append(try FileRecord(name: name, file: folder + "/" + name))
    }
    list.files.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    try JSONFile.writeSealed(list, to: folder + "/" + fileName)
  }

  /// Notes the files that exist and are not on the list of a folder.
  package static func noteMissing(_ names: [String], in folder: String, _ context: any VerificationContext) throws {
    // A damaged list is a problem already.
    guard let listed = try? read(folder)?.files.map(\.name) ?? [] else { return }
    let missing = names.filter { !listed.contains($0) && Files.exists(folder + "/" + $0) }
    guard !missing.isEmpty else { return }
    context.note(
      "\(folder): \(fileName) does not cover \(missing.joined(separator: ", ")): being written, or written by an earlier version")
  }

  /// Throws where a list in the folder of a file, or in the folder above, has another checksum for it.
  /// - Parameter content: the size and the XXH3-64 of the file.
  package static func check(_ path: String, content: () throws -> (bytes: Int, xxh3: UInt64)) throws {
    let folder = Descriptor.parent(of: path), name = Descriptor.name(of: path)
    for (folder, name) in [(folder, name), (Descriptor.parent(of: folder), Descriptor.name(of: folder) + "/" + name)] {
      guard name != fileName, let record = try read(folder)?.files.first(where: { $0.name == name }) else { continue }
      let (bytes, xxh3) = try content()
      guard record.bytes == bytes, record.xxh3 == Checksum.hex(xxh3) else {
        throw WeirError(
          path, "is damaged: its checksum is \(Checksum.hex(xxh3)), \(folder)/\(fileName) says \(record.xxh3)",
          remedy: "restore it or make it again; if the change is meant, remove \(folder)/\(fileName)")
      }
    }
  }

  /// Throws where a list has another checksum for a file than it has.
  package static func check(_ path: String) throws {
    try check(path) { try MappedFile(path).withBytes { ($0.count, Checksum.xxh3($0)) } }
  }
}
