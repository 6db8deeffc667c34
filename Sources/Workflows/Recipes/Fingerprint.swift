import Foundation
import Storage

/// Fingerprints of files and folders: what a step read and made.
package enum Fingerprint {
  /// The fingerprint of a file's content, of a folder's manifest, or of all files of a folder without one; nil where nothing is.
  package static func of(_ path: String) throws -> String? {
    guard Files.exists(path) else {
      let found = Files.matching(path)
      return found.isEmpty ? nil : try found.map { "\($0) \(try of($0) ?? "missing")" }.joined(separator: " ")
    }
    guard Files.isFolder(path) else { return Checksum.hex(try Checksum.xxh3(file: path)) }
    let manifest = path + "/manifest.json"
    if Files.exists(manifest) { return Checksum.hex(try Checksum.xxh3(file: manifest)) }
    var text = ""
    for name in try FileManager.default.subpathsOfDirectory(atPath: path).sorted() where !Files.isFolder(path + "/" + name) {
      text += "\(name) \(Checksum.hex(try Checksum.xxh3(file: path + "/" + name)))\n"
    }
    return Checksum.hex(Checksum.xxh3(Array(text.utf8)))
  }

  /// Bytes on disk under a path.
  package static func bytes(_ path: String) -> Int {
    func size(_ file: String) -> Int {
      ((try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? NSNumber)?.intValue ?? 0
    }
    guard Files.isFolder(path) else { return size(path) }
    return ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).reduce(0) { sum, name in
      Files.isFolder(path + "/" + name) ? sum : sum + size(path + "/" + name)
    }
  }
}
