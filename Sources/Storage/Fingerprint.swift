/// Fingerprints of files, folders and glob patterns: how recipes recognize inputs and outputs that have changed.
package enum Fingerprint {
  /// The fingerprint of a file's content, of the manifest of an artifact, of all files in another folder, or of everything that a glob pattern
  /// matches; nil if nothing exists.
  /// - Parameters:
  ///   - registry: the artifacts whose manifests are trusted to cover their content.
  ///   - checksum: XXH3-64 of a file in hexadecimal.
  package static func of(
    _ path: String, registry: ArtifactRegistry, checksum: (String) throws -> String = { try Checksum.hex(file: $0) }
  ) throws -> String? {
    guard Files.exists(path) else {
      let found = Files.matching(path)
      return found.isEmpty
        ? nil : try found.map { "\($0) \(try of($0, registry: registry, checksum: checksum) ?? "missing")" }.joined(separator: " ")
    }
    guard Files.isFolder(path) else { return try checksum(path) }
    if registry.folderType(path) != nil { return try checksum(path + "/" + Manifest.fileName) }
    var text = ""
    for name in try Files.walk(path) { text += "\(name) \(try checksum(path + "/" + name))\n" }
    return Checksum.hex(Checksum.xxh3(Array(text.utf8)))
  }

  /// Whether a path exists or a glob pattern matches anything.
  package static func exists(_ path: String) -> Bool { Files.exists(path) || !Files.matching(path).isEmpty }

  /// Bytes on disk under a path.
  package static func bytes(_ path: String) -> Int {
    let files = Files.isFolder(path) ? ((try? Files.walk(path)) ?? []).map { path + "/" + $0 } : [path]
    return files.reduce(0) { $0 + ((try? Files.size($1)) ?? 0) }
  }
}
