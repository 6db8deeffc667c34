import CZstd
import Foundation
import Primitives

/// A folder that appears complete or not at all. It is filled as `<path>.partial`; `commit` checksums every file and flushes it to disk, writes the
/// manifest last, and renames the folder. Without `commit` the partial folder is removed. The next run removes what a killed run left, or resumes
/// from it.
package final class AtomicFolder {
  /// The final path.
  package let path: String
  /// The partial folder, which the files are written to.
  package let working: String
  private let replacing: Bool
  /// nil when the folder is closed.
  private var lock: OutputLock?
  /// Whether the partial folder of a killed run was taken over.
  package let isResumed: Bool
  /// Whether the partial folder is kept for the next run where `commit` is not reached.
  package var keepsPartial = false

  /// Creates the partial folder.
  /// - Parameters:
  ///   - path: the final path.
  ///   - replacing: whether an existing folder may be replaced if it has a manifest.
  ///   - resuming: whether the partial folder of a killed run is taken over, whatever it contains, rather than removed.
  /// - Throws: `WeirError` where the folder exists or cannot be written.
  package init(_ path: String, replacing: Bool = false, resuming: Bool = false) throws {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    self.replacing = replacing
    working = path + ".partial"
    try Self.check(path, replacing: replacing)
    try Files.createFolder(Descriptor.parent(of: path))
    try Descriptor.refuseUnusual(working, S_IFDIR)
    lock = try OutputLock(path)
    isResumed = resuming && Files.isFolder(working)
    guard !isResumed else { return }
    try Files.remove(working)
    if FileName.withBytes(working, { mkdir($0, 0o777) }) != 0 { throw systemError(path, errno, writing: true) }
  }

  deinit { discard() }

  private static func check(_ path: String, replacing: Bool) throws {
    guard Files.exists(path) else { return }
    guard Files.isFolder(path) else { throw WeirError(path, "already exists and is a file", remedy: "remove it or choose another path") }
    if try Files.entries(of: path).isEmpty { return }
    if !replacing { throw WeirError(path, "already exists", remedy: "remove it or choose another path") }
    if !Files.exists(path + "/" + Manifest.fileName) {
      throw WeirError(path, "already exists and was not written by weir (no manifest.json)", remedy: "remove it or choose another path")
    }
  }

  /// Flushes the folder to disk, writes its manifest and gives it its final name.
  /// - Parameters:
  ///   - format: the name and version of the format, such as `weir.token-dataset.1`.
  ///   - tool: the program that wrote the folder, with its version.
  ///   - inputs: the fingerprints of the inputs, by role.
  ///   - configuration: the configuration that made the folder.
  ///   - counts: numbers of things in the folder, by name.
  ///   - known: files that are already on disk, with the checksums computed while writing; all others are read again.
  ///   - blocks: whether to write the checksums of blocks (`BlockChecksums`), for readers that read parts of the files.
  package func commit(
    format: String, tool: String, inputs: [String: String], configuration: JSONValue, counts: [String: Int], known: [FileRecord] = [],
    blocks: Bool = false
  ) throws -> Manifest {
    precondition(lock != nil, "the folder is closed")
    do {
      var files: [FileRecord] = []
      let known = Dictionary(known.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
      var folders: Set<String> = [working]
      for name in try Files.walk(working) where name != Manifest.fileName && !(blocks && name == BlockChecksums.fileName) {
        let file = working + "/" + name
        if let record = known[name], try record.bytes == Files.size(file) {
          files.append(record)
          continue
        }
        let record = try FileRecord(name: name, file: file)
        let descriptor = try Descriptor.openRegular(file)
        defer { close(descriptor) }
        try Descriptor.synchronize(descriptor, path: file)
        folders.insert(Descriptor.parent(of: file))
        files.append(record)
      }
      if blocks {
        files.append(try BlockChecksums.write(files, in: working))
        files.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      }
      let manifest = Manifest(format: format, tool: tool, inputs: inputs, configuration: configuration, counts: counts, files: files)
      try manifest.write(folder: working)
      for folder in folders.sorted() { try Descriptor.synchronizeFolder(folder) }
      let old = try publish()
      defer { release() }
      try Descriptor.finish(path) { if let old { try Files.remove(old) } }
      return manifest
    } catch {
      discard()
      throw error
    }
  }

  /// Moves the finished folder to its final path. An existing folder is replaced in one atomic step where the system supports that.
  /// - Returns: the folder that was replaced, under the name it has now.
  private func publish() throws -> String? {
    try Self.check(path, replacing: replacing)
    guard Files.exists(path), try !Files.entries(of: path).isEmpty else {
      try Files.move(working, to: path)
      return nil
    }
    #if os(Linux)
    if FileName.withBytes(working, { from in FileName.withBytes(path) { weir_exchange(from, $0) } }) == 0 { return working }
    #endif
    let old = working + ".old"
    try Files.remove(old)
    try Files.move(path, to: old)
    do { try Files.move(working, to: path) } catch {
      try? Files.move(old, to: path)
      throw error
    }
    return old
  }

  /// Removes the partial folder, or leaves it to the next run.
  package func discard() {
    guard lock != nil else { return }
    if !keepsPartial { try? Files.remove(working) }
    release()
  }

  private func release() {
    lock?.release()
    lock = nil
  }
}
