import Foundation
import Primitives

/// An entry of a manifest: one file.
package struct FileRecord: Codable, Sendable, Equatable {
  /// The path relative to the manifest's folder.
  package var name: String
  package var bytes: Int
  /// XXH3-64 of the content, as 16 hexadecimal digits.
  package var xxh3: String

  package init(name: String, bytes: Int, xxh3: String) {
    self.name = name
    self.bytes = bytes
    self.xxh3 = xxh3
  }

  /// What is wrong with the file in a folder, on one line; nil where it has this size and checksum.
  /// - Parameter measure: the size of a file and its XXH3-64 in hexadecimal.
  package func problem(
    in folder: String, measure: (String) throws -> (bytes: Int, checksum: String) = { try Checksum.file($0) }
  ) throws -> String? {
    let path = folder + "/" + name
    guard Files.exists(path), !Files.isFolder(path) else { return "\(path): is missing" }
    let (bytes, checksum) = try measure(path)
    if bytes != self.bytes { return "\(path): has \(bytes) bytes, the manifest says \(self.bytes)" }
    return checksum == xxh3 ? nil : "\(path): its checksum is \(checksum), the manifest says \(xxh3)"
  }
}

/// The content and provenance of an output folder: `manifest.json`, the last file written.
package struct Manifest: Codable, Sendable, Equatable {
  package static let fileName = "manifest.json"

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

  /// XXH3-64 of the canonical JSON of everything except the tool. Folders with the same fingerprint have the same content.
  package var fingerprint: String {
    guard let bytes = try? JSONFile.encode(members(tool: nil, seal: nil)) else { return Checksum.hex(0) }
    return Checksum.hex(Checksum.xxh3(bytes))
  }

  /// Reads `folder/manifest.json`.
  /// - Parameters:
  ///   - folder: the folder.
  ///   - format: the expected format; nil for any.
  /// - Throws: `WeirError` where the manifest is missing, invalid or of another format.
  package static func read(folder: String, format: String? = nil) throws -> Manifest {
    let path = folder + "/" + fileName
    if !Files.exists(path) {
      if !Files.exists(folder) { throw WeirError(folder, "no such file or folder", remedy: "check the path") }
      throw WeirError(folder, "has no \(fileName)", remedy: "give a folder written by weir, or write it again if the run was interrupted")
    }
    let manifest = try JSONFile.read(Manifest.self, from: path)
    if let format, manifest.format != format {
      throw WeirError(path, "is a \(manifest.format), not a \(format)", remedy: "give a folder of that format")
    }
    for file in manifest.files {
      guard file.bytes >= 0, !file.name.isEmpty, !file.name.hasPrefix("/"), !file.name.split(separator: "/").contains("..") else {
        throw WeirError(path, "lists an invalid file, \"\(file.name)\"", remedy: "write the folder again")
      }
    }
    return manifest
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
  package func count(_ name: String, in folder: String) throws -> Int {
    guard let value = counts[name], value >= 0 else {
      throw WeirError(folder + "/" + Self.fileName, "has no count of \(name)", remedy: "make the folder again")
    }
    return value
  }
}
