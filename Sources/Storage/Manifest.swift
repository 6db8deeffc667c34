import Foundation
import Primitives

/// A file as a manifest names it.
package struct FileRecord: Codable, Sendable, Equatable {
  /// The path relative to the manifest's folder.
  package var name: String
  /// The size.
  package var bytes: Int
  /// XXH3-64 of the content, 16 hexadecimal digits.
  package var xxh3: String

  /// Creates a record.
  package init(name: String, bytes: Int, xxh3: String) {
    self.name = name
    self.bytes = bytes
    self.xxh3 = xxh3
  }

  /// Whether the file is there, with its size and checksum.
  package func isWhole(in folder: String) throws -> Bool {
    let path = folder + "/" + name
    guard Files.exists(path) else { return false }
    let (bytes, checksum) = try Checksum.file(path)
    return bytes == self.bytes && Checksum.hex(checksum) == xxh3
  }
}

/// What is in an output folder, from what it was made and how: `manifest.json`, written last.
package struct Manifest: Codable, Sendable, Equatable {
  /// The manifest's name in its folder.
  package static let fileName = "manifest.json"

  /// The format's name and version, `weir.token-dataset.1`.
  package var format: String
  /// What wrote it, with its version; not a part of the fingerprint.
  package var tool: String
  /// Fingerprints of the inputs by role.
  package var inputs: [String: String]
  /// What was asked for.
  package var configuration: JSONValue
  /// What is in it.
  package var counts: [String: Int]
  /// Every other file of the folder.
  package var files: [FileRecord]

  /// Creates a manifest.
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

  private struct Identity: Encodable {
    var format: String
    var inputs: [String: String]
    var configuration: JSONValue
    var counts: [String: Int]
    var files: [FileRecord]
  }

  /// XXH3-64 over the canonical JSON of everything but the tool: two folders with it equal have the same content.
  package var fingerprint: String {
    let identity = Identity(format: format, inputs: inputs, configuration: configuration, counts: counts, files: files)
    guard let bytes = try? JSONFile.encode(identity) else { return Checksum.hex(0) }
    return Checksum.hex(Checksum.xxh3(bytes))
  }

  /// Reads `folder/manifest.json`.
  /// - Parameters:
  ///   - folder: the folder.
  ///   - format: the format it must have; nil = any.
  /// - Throws: `WeirError` where it is missing, broken, or of another format.
  package static func read(folder: String, format: String? = nil) throws -> Manifest {
    let path = folder + "/" + fileName
    if !Files.exists(path) {
      if !Files.exists(folder) { throw WeirError(folder, "no such file or folder", remedy: "check the path") }
      throw WeirError(folder, "has no \(fileName)", remedy: "give a folder that weir wrote, or write it again if it was cut short")
    }
    let manifest = try JSONFile.read(Manifest.self, from: path)
    if let format, manifest.format != format {
      throw WeirError(path, "is a \(manifest.format), not a \(format)", remedy: "give a folder of that format")
    }
    for file in manifest.files {
      guard file.bytes >= 0, !file.name.isEmpty, !file.name.hasPrefix("/"), !file.name.split(separator: "/").contains("..") else {
        throw WeirError(path, "names the impossible file \"\(file.name)\"", remedy: "write the folder again")
      }
    }
    return manifest
  }

  /// Checks that every file is there with its size.
  package func verifySizes(in folder: String) -> [String] {
    files.compactMap { file in
      let path = folder + "/" + file.name
      guard Files.exists(path), let bytes = try? Files.size(path) else { return "\(path): is missing" }
      return bytes == file.bytes ? nil : "\(path): has \(bytes) bytes, the manifest says \(file.bytes)"
    }
  }

  /// Checks that every file is there with its size and checksum.
  /// - Returns: one line per problem, none where all is well.
  package func verifyFiles(in folder: String) throws -> [String] {
    var problems: [String] = []
    for file in files {
      let path = folder + "/" + file.name
      guard Files.exists(path) else {
        problems.append("\(path): is missing")
        continue
      }
      let (bytes, checksum) = try Checksum.file(path)
      if bytes != file.bytes {
        problems.append("\(path): has \(bytes) bytes, the manifest says \(file.bytes)")
      } else if Checksum.hex(checksum) != file.xxh3 {
        problems.append("\(path): its checksum is \(Checksum.hex(checksum)), the manifest says \(file.xxh3)")
      }
    }
    return problems
  }
}
