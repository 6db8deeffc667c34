import Foundation
import Primitives

/// An entry of a manifest: one file.
package struct FileRecord: Codable, Sendable, Equatable {
  /// The path relative to the manifest's folder.
  package var name: String
  package var bytes: Int
  /// XXH3-64 of the content, as 16 hexadecimal digits.
  package var xxh3: String
  /// XXH3-64 of each block (`BlockChecksums`) of a file just written; not stored here.
  var blocks: [UInt64] = []

  private enum CodingKeys: String, CodingKey { case name, bytes, xxh3 }

  package init(name: String, bytes: Int, xxh3: String) { self.init(name: name, bytes: bytes, xxh3: xxh3, blocks: []) }

  init(name: String, bytes: Int, xxh3: String, blocks: [UInt64]) {
    self.name = name
    self.bytes = bytes
    self.xxh3 = xxh3
    self.blocks = blocks
  }

  /// The record of a file that exists.
  package init(name: String, file: String) throws {
    var blocks = BlockHasher()
    let (bytes, checksum) = try Checksum.file(file) { blocks.update($0) }
    self.init(name: name, bytes: bytes, xxh3: checksum, blocks: blocks.finish())
  }

  package static func == (a: FileRecord, b: FileRecord) -> Bool { (a.name, a.bytes, a.xxh3) == (b.name, b.bytes, b.xxh3) }

  /// Throws where a file in memory is not the one of this record.
  func check(_ file: MappedFile) throws {
    let found = file.withBytes { Checksum.hex(Checksum.xxh3($0)) }
    guard found == xxh3 else {
      throw WeirError(
        file.path, "is damaged: its checksum is \(found), the manifest says \(xxh3)",
        remedy: "restore it or make it again; if the change is meant, remove \(Manifest.fileName)")
    }
  }

  /// Whether the name leads to a file inside the folder, and the numbers are possible.
  var isValid: Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.allSatisfy { !["", ".", ".."].contains($0) } && !name.utf8.contains(0) && Manifest.numbers.contains(bytes)
      && xxh3.utf8.count == 16 && xxh3.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// What is wrong with the file in a folder, on one line; nil where it has this size and checksum.
  /// - Parameters:
  ///   - list: what has the record, for the message.
  ///   - measure: the size of a file and its XXH3-64 in hexadecimal.
  package func problem(
    in folder: String, list: String = "manifest", measure: (String) throws -> (bytes: Int, checksum: String) = { try Checksum.file($0) }
  ) throws -> String? {
    let path = folder + "/" + name
    guard Files.exists(path), !Files.isFolder(path) else { return "\(path): is missing" }
    let (bytes, checksum) = try measure(path)
    if bytes != self.bytes { return "\(path): has \(bytes) bytes, the \(list) says \(self.bytes)" }
    return checksum == xxh3 ? nil : "\(path): its checksum is \(checksum), the \(list) says \(xxh3)"
  }
}

/// The content and provenance of an output folder: `manifest.json`, the last file written.
package struct Manifest: Codable, Sendable, Equatable {
  package static let fileName = "manifest.json"
  /// What counts and sizes may be: integers that JSON represents exactly.
  package static let numbers = 0...1 << 53

  /// The name and version of the format, such as `weir.token-dataset.1`.
  package var format: String
  /// The program that wrote the folder, with its version; not a part of the fingerprint.
  package var tool: String
  /// The fingerprints of the inputs, by role.
  package var inputs: [String: String]
  /// The configuration that made the folder.
  package var configuration: JSONValue
  /// Numbers of things in the folder, by name.
  package var counts: [String: Int]
  /// All other files of the folder.
  package var files: [FileRecord]

  package init(
    format: String, tool: String, inputs: [String: String], configuration: JSONValue, counts: [String: Int], files: [FileRecord]
  ) {
    self.format = format
    self.tool = tool
    self.inputs = inputs
    self.configuration = configuration
    self.counts = counts
    self.files = files
  }

  /// What is written and what is hashed; members that are nil are left out.
  struct Members: Encodable {
    var format: String
    var tool: String?
    var inputs: [String: String]
    var configuration: JSONValue
    var counts: [String: Int]
    var files: [FileRecord]
    var manifest_xxh3: String?
  }

  func members(tool: String?, seal: String?) -> Members {
    Members(format: format, tool: tool, inputs: inputs, configuration: configuration, counts: counts, files: files, manifest_xxh3: seal)
  }

  /// XXH3-64 of the canonical JSON of everything except the tool and the checksums of blocks. Folders with the same fingerprint have the same content.
  package var fingerprint: String {
    var members = members(tool: nil, seal: nil)
    members.files.removeAll { $0.name == BlockChecksums.fileName }
    guard let bytes = try? JSONFile.encode(members) else { return Checksum.hex(0) }
    return Checksum.hex(Checksum.xxh3(bytes))
  }

  /// Reads `folder/manifest.json`.
  /// - Parameters:
  ///   - folder: the folder.
  ///   - format: the expected format; nil for any.
  /// - Throws: `WeirError` where the manifest is missing, was changed, is invalid or of another format.
  package static func read(folder: String, format: String? = nil) throws -> Manifest {
    let path = folder + "/" + fileName
    if !Files.exists(path) {
      if !Files.exists(folder) { throw WeirError(folder, "no such file or folder", remedy: "check the path") }
      throw WeirError(folder, "has no \(fileName)", remedy: "give a folder written by weir, or write it again if the run was interrupted")
    }
    let text = try Files.readWhole(path)
    // Earlier versions wrote no seal.
    if JSONSeal.manifest.isPresent(in: text), let reason = sealProblem(of: text) {
      throw WeirError(path, reason, remedy: "restore it or make the folder again")
    }
    return try parse(text, path: path, format: format)
  }

  /// Decodes and checks the text of a manifest, apart from its seal.
  package static func parse(_ text: [UInt8], path: String, format: String? = nil) throws -> Manifest {
    let manifest = try JSONFile.decode(Manifest.self, from: text, place: path)
    if let format, manifest.format != format {
      throw WeirError(path, "is a \(manifest.format), not a \(format)", remedy: "give a folder of that format")
    }
    for file in manifest.files where !file.isValid {
      throw WeirError(path, "lists an invalid file, \"\(Format.clip(file.name, 100))\"", remedy: "write the folder again")
    }
    for (name, count) in manifest.counts where !numbers.contains(count) {
      throw WeirError(path, "counts \(count) \(Format.clip(name, 100)), expected 0…2⁵³", remedy: "write the folder again")
    }
    return manifest
  }

  private func record(_ name: String, in folder: String) throws -> FileRecord {
    guard let record = files.first(where: { $0.name == name }) else {
      throw WeirError(folder + "/" + Self.fileName, "does not list \(name)", remedy: "make the folder again")
    }
    return record
  }

  /// Maps a file of the folder, and checks its size.
  func map(_ name: String, in folder: String) throws -> (file: MappedFile, record: FileRecord) {
    let record = try record(name, in: folder)
    let file = try MappedFile(folder + "/" + name)
    guard file.count == record.bytes else {
      throw WeirError(
        file.path, "has \(file.count) bytes, the manifest says \(record.bytes)", remedy: "restore it or make the folder again")
    }
    return (file, record)
  }

  /// Maps a file of the folder that is read as a whole, and checks its size and its checksum.
  package func open(_ name: String, in folder: String) throws -> MappedFile {
    let (file, record) = try map(name, in: folder)
    try record.check(file)
    return file
  }

  /// Reads a file of the folder, and checks its size and its checksum.
  package func read(_ name: String, in folder: String) throws -> [UInt8] { try open(name, in: folder).withBytes { Array($0) } }

  /// Checks the files of the folder that are read as a whole, and whose names `isWanted` accepts.
  package func check(in folder: String, where isWanted: (String) -> Bool) throws {
    for file in files where isWanted(file.name) { _ = try open(file.name, in: folder) }
  }

  /// Checks the size and the checksum of every file.
  /// - Returns: one line per problem.
  package func verifyFiles(in folder: String) throws -> [String] { try files.compactMap { try $0.problem(in: folder) } }

  /// A fingerprint that the format of the folder requires.
  package func input(_ role: String, in folder: String) throws -> String {
    guard let value = inputs[role] else {
      throw WeirError(folder + "/" + Self.fileName, "has no fingerprint of its \(role)", remedy: "make the folder again")
    }
    return value
  }

  /// A count that the format of the folder requires.
  /// - Parameter range: the values that the format allows.
  package func count(_ name: String, in folder: String, range: ClosedRange<Int> = Self.numbers) throws -> Int {
    let place = folder + "/" + Self.fileName
    guard let value = counts[name] else { throw WeirError(place, "has no count of \(name)", remedy: "make the folder again") }
    guard range.contains(value) else {
      throw WeirError(
        place, "counts.\(name) is \(value), expected \(range.lowerBound)…\(range.upperBound)", remedy: "make the folder again")
    }
    return value
  }
}
