import Pipeline
import Primitives
import Storage

/// One verification: walks a folder, and collects findings and counts. A file is hashed once, however many manifests name it.
final class Verifier {
  private static let depthLimit = 32

  let registry: ArtifactRegistry
  private let progress: Progress
  /// Bytes under the path, for progress.
  var total = 0
  private(set) var problems: [String] = []
  private(set) var notes: [String] = []
  /// Whether any file of a known type was found.
  private(set) var found = false
  /// Size and checksum of every file that was hashed.
  private var hashes: [String: (bytes: Int, checksum: String)] = [:]
  private var checked: Set<String> = []
  /// Folders, which symbolic links may lead to more than once.
  private var visited: Set<Files.Identity> = []

  init(registry: ArtifactRegistry, progress: Progress) {
    self.registry = registry
    self.progress = progress
  }

  /// Files read completely.
  var files: Int { checked.count }
  /// Bytes of these files.
  private(set) var bytes = 0

  /// - Returns: the kind of the folder.
  func checkFolder(_ folder: String, depth: Int = 0) throws -> String {
    visited.insert(try Files.identity(folder))
    guard depth < Self.depthLimit else {
      note("\(folder): is more than \(Self.depthLimit) folders deep and was not checked")
      return "folder"
    }
    let place = folder + "/" + Manifest.fileName
    guard Files.exists(place) else {
      let identified = try registry.identify(folder)
      try checkList(in: folder)
      if let type = identified?.type { try attempt { try type.verify(folder, self) } }
      try visit(folder, prefix: "", root: folder, owned: nil, depth: depth)
      return identified?.kind ?? "folder"
    }
    try count(place)
    var owned: Set<String> = []
    var kind = "folder with a damaged manifest"
    try attempt {
      let text = try Files.readWhole(place)
      let changed = Manifest.sealProblem(of: text)
      if let changed { problem("\(place): \(changed)") }
      let manifest = try Manifest.parse(text, path: place)
      kind = ArtifactRegistry.kind(format: manifest.format)
      owned = try checkListed(manifest, in: folder)
      // No reader takes a manifest that was changed.
      if changed == nil { try checkContent(manifest, in: folder) }
    }
    try visit(folder, prefix: "", root: folder, owned: owned, depth: depth)
    return kind
  }

  /// Size and checksum of every file on the list of a folder without a manifest.
  private func checkList(in folder: String) throws {
    try attempt {
      guard let list = try ChecksumList.read(folder) else { return }
      try count(folder + "/" + ChecksumList.fileName)
      for file in list.files {
        try attempt { if let found = try file.problem(in: folder, list: ChecksumList.fileName, measure: hash) { problem(found) } }
      }
    }
  }

  /// Size and checksum of every file that a manifest names.
  private func checkListed(_ manifest: Manifest, in folder: String) throws -> Set<String> {
    var names: Set<String> = []
    for file in manifest.files {
      if !names.insert(file.name).inserted { problem("\(folder)/\(Manifest.fileName): names \(file.name) twice") }
      try attempt { if let found = try file.problem(in: folder, measure: hash) { problem(found) } }
    }
    return names
  }

  /// What the format of a folder and the formats of its files promise.
  private func checkContent(_ manifest: Manifest, in folder: String) throws {
    let type = registry.folderType(format: manifest.format)
    if let type { try attempt { try type.verify(folder, self) } }
    for file in manifest.files where !(type?.verifies(file: file.name) ?? false) {
      let path = folder + "/" + file.name
      guard Files.exists(path), !Files.isFolder(path), !file.name.hasSuffix(Manifest.fileName) else { continue }
      try attempt { if let found = try registry.identify(path) { try checkFile(path, found) } }
    }
  }

  /// What the format of a file promises.
  func checkFile(_ path: String, _ identified: ArtifactRegistry.Identification) throws {
    try count(path)
    try attempt {
      if let type = identified.type {
        try type.verify(path, self)
        // Numbers of more than 64 bits are valid: transformers writes 10³⁰ for a tokenizer without a longest input.
      } else if try !JSONDocument(Files.readWhole(path), place: path, lenient: true).root.isObject {
        throw WeirError(path, "is not a JSON object")
      }
    }
  }

  /// The files that no manifest has named yet, and the artifacts inside a folder.
  /// - Parameter owned: the files that the manifest of `root` names; nil if there is no manifest.
  private func visit(_ folder: String, prefix: String, root: String, owned: Set<String>?, depth: Int) throws {
    for name in try Files.entries(of: folder) {
      let path = folder + "/" + name
      if name.hasPrefix("."), name.hasSuffix(OutputLock.suffix) {
        continue
      } else if name == ChecksumList.fileName, owned == nil {
        continue
      } else if name.hasSuffix(".partial") {
        note("\(path): was left by an unfinished write (or is being written)")
      } else if Files.isFolder(path) {
        guard try visited.insert(Files.identity(path)).inserted else { continue }
        if Files.exists(path + "/" + Manifest.fileName) {
          _ = try checkFolder(path, depth: depth + 1)
        } else if depth < Self.depthLimit {
          try checkList(in: path)
          try visit(path, prefix: prefix + name + "/", root: root, owned: owned, depth: depth + 1)
        }
      } else if let owned {
        if name != Manifest.fileName || !prefix.isEmpty, !owned.contains(prefix + name) {
          note("\(path): is not named in the manifest of \(root)")
        }
      } else {
        try attempt {
          if let found = try registry.identify(path) {
            try checkFile(path, found)
          } else if hashes[path] == nil, !Self.isText(name) {
            note("\(path): is unknown and was not checked")
          }
        }
      }
    }
  }

  /// Whether a file is for people, or has no form that could be checked: reports, and the chat templates of transformers.
  private static func isText(_ name: String) -> Bool { [".html", ".md", ".jinja"].contains { name.hasSuffix($0) } }

  /// Size and XXH3-64 of a file, in pieces so that the work can be stopped.
  private func hash(_ path: String) throws -> (bytes: Int, checksum: String) {
    if let known = hashes[path] { return known }
    let file = try MappedFile(path)
    let stream = ChecksumStream()
    let piece = 1 << 24
    try file.withBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: piece) {
        stream.update(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + piece, bytes.count)]))
        progress.update(Double(self.bytes + stream.count), of: Double(max(total, self.bytes + stream.count)), unit: "bytes", detail: path)
        try progress.checkStop()
      }
    }
    try count(path)
    let result = (file.count, Checksum.hex(stream.value))
    hashes[path] = result
    return result
  }
}

extension Verifier: VerificationContext {
  func problem(_ line: String) { problems.append(line) }
  func note(_ line: String) { notes.append(line) }

  func attempt(_ body: () throws -> Void) throws {
    do { try body() } catch let stopped as Stopped { throw stopped } catch let error as WeirError {
      problem(error.description)
    } catch {
      problem("\(error)")
    }
  }

  func count(_ path: String) throws {
    found = true
    guard checked.insert(path).inserted else { return }
    bytes += (try? Files.size(path)) ?? 0
    progress.update(Double(bytes), of: Double(max(total, bytes)), unit: "bytes", detail: path)
    try progress.checkStop()
  }

  func checksum(_ path: String) throws -> String { try hash(path).checksum }
  func checkStop() throws { try progress.checkStop() }
}
