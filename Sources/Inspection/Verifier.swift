import Documents
import Pipeline
import Primitives
import Storage
import Training

/// One check of a file or folder: walks it and collects what it finds. A file is hashed once, however many manifests name it.
final class Verifier {
  /// Problems of one file that are listed; the others are counted.
  static let problemLimit = 20

  let progress: Progress
  /// Bytes there are, for progress.
  var total = 0
  private(set) var problems: [String] = []
  private(set) var notes: [String] = []
  /// Whether anything of ours was seen.
  private(set) var found = false
  /// Size and checksum of every file that was hashed.
  private var hashes: [String: (bytes: Int, checksum: String)] = [:]
  private var checked: Set<String> = []

  init(progress: Progress) { self.progress = progress }

  /// Files read whole.
  var files: Int { checked.count }
  /// Bytes of these files.
  private(set) var bytes = 0

  func problem(_ line: String) { problems.append(line) }
  func note(_ line: String) { notes.append(line) }

  /// Runs a check whose error is a problem of the data; a wish to stop goes through.
  func attempt(_ body: () throws -> Void) throws {
    do { try body() } catch let stopped as Stopped { throw stopped } catch let error as WeirError {
      problem(error.description)
    } catch {
      problem("\(error)")
    }
  }

  /// Counts a file as read.
  func count(_ path: String) throws {
    found = true
    guard checked.insert(path).inserted else { return }
    bytes += (try? Files.size(path)) ?? 0
    progress.update(Double(bytes), of: Double(max(total, bytes)), unit: "bytes", detail: path)
    try progress.checkStop()
  }

  // MARK: folders

  /// Checks a folder.
  /// - Returns: what it is.
  func checkFolder(_ folder: String, depth: Int = 0) throws -> String {
    guard depth < 32 else {
      note("\(folder): is more than 32 folders deep and was not looked into")
      return "folder"
    }
    let manifest = folder + "/" + Manifest.fileName
    guard Files.exists(manifest) else {
      let kind = RunFolder(folder).exists ? "run" : Self.looseKind(folder)
      try visit(folder, prefix: "", root: folder, owned: nil, depth: depth)
      return kind
    }
    try count(manifest)
    var owned: Set<String> = []
    var kind = "folder with a damaged manifest"
    try attempt {
      if let reason = Manifest.sealProblem(of: try Files.read(manifest)) { problem("\(manifest): \(reason)") }
      let manifest = try Manifest.read(folder: folder)
      kind = FileKind.words(manifest.format)
      owned = try checkListed(manifest, in: folder)
      try checkContent(manifest, in: folder)
    }
    try visit(folder, prefix: "", root: folder, owned: owned, depth: depth)
    return kind
  }

  /// What a folder without a manifest is.
  private static func looseKind(_ folder: String) -> String {
    if Files.exists(folder + "/split.json") { return "split" }
    if Files.exists(folder + "/config.json") { return "model" }
    if Files.exists(folder + "/tokenizer.json") { return "tokenizer" }
    if Files.exists(folder + "/summary.json") || Files.isFolder(folder + "/steps") { return "recipe run" }
    return "folder"
  }

  /// Size and checksum of every file that a manifest names.
  private func checkListed(_ manifest: Manifest, in folder: String) throws -> Set<String> {
    var names: Set<String> = []
    for file in manifest.files {
      let path = folder + "/" + file.name
      if !names.insert(file.name).inserted { problem("\(folder)/\(Manifest.fileName): names \(file.name) twice") }
      try attempt {
        guard Files.exists(path), !Files.isFolder(path) else { throw WeirError(path, "is missing") }
        let (bytes, checksum) = try hash(path)
        if bytes != file.bytes {
          problem("\(path): has \(bytes) bytes, the manifest says \(file.bytes)")
        } else if checksum != file.xxh3 {
          problem("\(path): its checksum is \(checksum), the manifest says \(file.xxh3)")
        }
      }
    }
    return names
  }

  /// The files of a folder that no manifest has named yet, and the folders below it that are ours.
  /// - Parameters:
  ///   - owned: the files that the manifest of `root` names; nil where there is none.
  private func visit(_ folder: String, prefix: String, root: String, owned: Set<String>?, depth: Int) throws {
    for name in try Files.entries(of: folder) {
      let path = folder + "/" + name
      if name.hasSuffix(".partial") {
        note("\(path): was left by a write that did not finish (or is being written)")
      } else if Files.isFolder(path) {
        if Files.exists(path + "/" + Manifest.fileName) {
          _ = try checkFolder(path, depth: depth + 1)
        } else if depth < 32 {
          try visit(path, prefix: prefix + name + "/", root: root, owned: owned, depth: depth + 1)
        }
      } else if let owned {
        if name != Manifest.fileName || !prefix.isEmpty, !owned.contains(prefix + name) {
          note("\(path): is not named in the manifest of \(root)")
        }
      } else {
        try attempt {
          if let kind = try FileKind.of(path) { try checkFile(path, kind) } else { note("\(path): is not known and was not checked") }
        }
      }
    }
  }

  /// Size and XXH3 of a file, in pieces so that the work can be stopped.
  func hash(_ path: String) throws -> (bytes: Int, checksum: String) {
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
