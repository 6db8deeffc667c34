/// The types of artifacts, by format id and by what files look like.
package struct ArtifactRegistry: Sendable {
  /// The types; if several match a file, the first one wins.
  package let types: [any Artifact.Type]

  package init(_ types: [any Artifact.Type]) { self.types = types }

  /// The kind of a file or folder, and the type that knows more about it.
  package struct Identification {
    package let kind: String
    /// Nil for a JSON object of a known kind without a type of its own.
    package let type: (any Artifact.Type)?
  }

  /// The type of a folder whose manifest has a format id.
  package func folderType(format: String) -> (any Artifact.Type)? { types.first { $0.format == format && $0.form != .file } }

  /// The type of a folder by its manifest; nil without one, and for a manifest that no type knows.
  package func folderType(_ path: String) -> (any Artifact.Type)? {
    (try? Manifest.read(folder: path)).flatMap { folderType(format: $0.format) }
  }

  /// Identifies a file, or a folder without a manifest; nil if it is unknown.
  /// - Throws: `WeirError` if the file cannot be read.
  package func identify(_ path: String) throws -> Identification? {
    let candidate = try ArtifactCandidate(path)
    let named = candidate.isJSON ? kindByName(candidate) : nil
    if candidate.isJSON, named == nil, let found = identifyByFormat(candidate) { return found }
    let form: ArtifactForm = candidate.isFolder ? .folder : .file
    let type = types.first { ($0.form == form || $0.form == .fileOrFolder) && $0.matches(candidate) }
    return type.map { Identification(kind: $0.kind, type: $0) } ?? named.map { Identification(kind: $0, type: nil) }
  }

  /// The kind of a JSON file by its name alone, so that a damaged one keeps its kind.
  private func kindByName(_ candidate: ArtifactCandidate) -> String? {
    candidate.name == Manifest.fileName ? "manifest" : types.lazy.compactMap { $0.fileKinds[candidate.name] }.first
  }

  /// A JSON file by the format id in it.
  private func identifyByFormat(_ candidate: ArtifactCandidate) -> Identification? {
    guard let format = candidate.json?["format"]?.string, format.hasPrefix("weir.") else { return nil }
    let kind = Self.kind(format: format)
    // By kind, so that the type can reject another version of its format.
    return Identification(kind: kind, type: types.first { $0.kind == kind && $0.form != .folder })
  }

  /// The kind that a format id names: `token dataset` for `weir.token-dataset.1`.
  package static func kind(format: String) -> String {
    var parts = format.split(separator: ".").map(String.init)
    if parts.first == "weir" { parts.removeFirst() }
    if parts.count > 1, parts.last.flatMap({ Int($0) }) != nil { parts.removeLast() }
    let text = parts.joined(separator: ".")
    return text.isEmpty ? format : text.split(separator: "-").joined(separator: " ")
  }
}
