import Primitives
import Storage

/// Describes files and folders that Weir wrote, in a few lines.
package enum Peek {
  /// - Parameters:
  ///   - registry: the types of artifacts.
  ///   - lines: the maximum number of entries per list, such as documents, tensors or clusters.
  /// - Returns: lines, each with its newline.
  /// - Throws: `WeirError` if the type is unknown or the content is damaged.
  package static func text(_ path: String, registry: ArtifactRegistry, lines: Int = 10) throws -> String {
    try report(path, registry: registry, lines: lines).text
  }

  /// What `text` prints.
  package struct Report: Codable, Sendable, Equatable {
    package var path: String
    package var kind: String
    package var lines: [String]

    package var text: String { "\(path): " + ([kind] + lines).map { $0 + "\n" }.joined() }
  }

  package static func report(_ path: String, registry: ArtifactRegistry, lines: Int = 10) throws -> Report {
    guard Files.exists(path) else { throw WeirError(path, "no such file or folder", remedy: "check the path") }
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard let description = try describe(path, registry.withGenericFiles, max(1, lines)) else {
      throw WeirError(path, "was not written by Weir", remedy: "`weir peek` supports " + ArtifactRegistry.supported)
    }
    return Report(path: path, kind: description.first ?? "", lines: Array(description.dropFirst()))
  }

  /// The description that the artifact's type gives, or else a generic one; nil for unknown types.
  private static func describe(_ path: String, _ registry: ArtifactRegistry, _ lines: Int) throws -> [String]? {
    if Files.exists(path + "/" + Manifest.fileName) {
      let manifest = try Manifest.read(folder: path)
      if let own = try registry.folderType(format: manifest.format)?.describe(path, lines: lines) { return own }
      return [ArtifactRegistry.kind(format: manifest.format)] + manifest.facts + [""] + manifest.fileTable(lines)
    }
    let identified = try registry.identify(path)
    if let own = try identified?.type?.describe(path, lines: lines) { return own }
    if Files.isFolder(path) { return try entries(of: path, kind: identified?.kind, registry, lines) }
    return path.hasSuffix(".json") ? try members(of: path, kind: identified?.kind ?? "JSON", lines) : nil
  }

  /// The entries of a folder with their kinds; nil if all are unknown.
  private static func entries(of path: String, kind: String?, _ registry: ArtifactRegistry, _ lines: Int) throws -> [String]? {
    var table = TextTable()
    var hidden = 0
    var isKnown = kind != nil
    for name in try Files.entries(of: path) {
      guard let entryKind = try self.kind(path + "/" + name, registry) else { continue }
      if entryKind != "folder" { isKnown = true }
      if table.lines.count < 4 * lines { table.add("  " + name, entryKind) } else { hidden += 1 }
    }
    return isKnown ? [kind ?? "folder"] + table.lines + Format.more(hidden, "entries") : nil
  }

  private static func kind(_ path: String, _ registry: ArtifactRegistry) throws -> String? {
    guard Files.isFolder(path) else { return try registry.identify(path)?.kind }
    if Files.exists(path + "/" + Manifest.fileName) {
      return (try? Manifest.read(folder: path)).map { ArtifactRegistry.kind(format: $0.format) } ?? "damaged folder"
    }
    return try registry.identify(path)?.kind ?? (Files.walk(path).isEmpty ? nil : "folder")
  }

  /// The members of a JSON object, one per line.
  private static func members(of path: String, kind: String, _ lines: Int) throws -> [String] {
    let root = try JSONDocument(Files.readWhole(path), place: path, lenient: true).root
    guard let members = root.object else { throw WeirError(path, "is not a JSON object") }
    var table = TextTable()
    for (name, value) in members.prefix(4 * lines) { table.add("  " + Format.clip(name, 40), value.summary(160)) }
    return [kind] + table.lines + Format.more(members.count - 4 * lines, "members")
  }
}
