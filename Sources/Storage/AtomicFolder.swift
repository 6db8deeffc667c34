import CZstd
import Foundation
import Primitives

/// A folder that appears whole or not at all: filled as `<path>.partial`; `commit` checksums and fsyncs every file, writes the
/// manifest last, and renames. Without `commit` it is removed; the left-over of a killed run is removed by the next one, unless that
/// goes on with it.
package final class AtomicFolder {
  /// Where the folder is to be.
  package let path: String
  /// Where to write the files.
  package let working: String
  private let replacing: Bool
  private var lock: Int32 = -1
  /// Whether what a killed run left was taken over.
  package let continues: Bool
  /// Whether what was written stays for the next run where `commit` is not reached.
  package var outlives = false

  /// Begins a folder.
  /// - Parameters:
  ///   - path: where it is to be.
  ///   - replacing: whether a folder of ours (one with a manifest) that is there may be replaced.
  ///   - continuing: whether what a killed run left is taken over, whatever it is, rather than removed.
  /// - Throws: `WeirError` where it exists already or cannot be written.
  package init(_ path: String, replacing: Bool = false, continuing: Bool = false) throws {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    self.replacing = replacing
    working = path + ".partial"
    try Self.check(path, replacing: replacing)
    try Files.createFolder(Descriptor.parent(of: path))
    if Files.isFolder(working) {
      let left = try Self.lockFolder(working, path: path)
      if continuing {
        continues = true
        lock = left
        return
      }
      defer { close(left) }
      try Files.remove(working)
    }
    continues = false
    if mkdir(working, 0o777) != 0 { throw systemError(path, errno, writing: true) }
    lock = try Self.lockFolder(working, path: path)
  }

  deinit { discard() }

  private static func check(_ path: String, replacing: Bool) throws {
    guard Files.exists(path) else { return }
    guard Files.isFolder(path) else { throw WeirError(path, "exists and is a file", remedy: "remove it or choose another name") }
    if try Files.entries(of: path).isEmpty { return }
    if !replacing { throw WeirError(path, "exists", remedy: "remove it or choose another name") }
    if !Files.exists(path + "/" + Manifest.fileName) {
      throw WeirError(path, "exists, has no manifest and is not ours to replace", remedy: "remove it or choose another name")
    }
  }

  private static func lockFolder(_ folder: String, path: String) throws -> Int32 {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { throw systemError(path, errno, writing: true) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      throw WeirError(path, "another process is writing it", remedy: "wait for it or choose another name")
    }
    return descriptor
  }

  /// Makes the folder appear.
  /// - Parameters:
  ///   - format: the format's name and version, `weir.token-dataset.1`.
  ///   - tool: what wrote it, with its version.
  ///   - inputs: the fingerprints of what it was made from, by role.
  ///   - configuration: what was asked for.
  ///   - counts: what is in it.
  ///   - known: files that are on disk, with the checksums made while they were written; the others are read again.
  /// - Returns: the manifest as written.
  package func commit(
    format: String, tool: String, inputs: [String: String], configuration: JSONValue, counts: [String: Int], known: [FileRecord] = []
  ) throws -> Manifest {
    precondition(lock >= 0, "the folder is closed")
    do {
      var files: [FileRecord] = []
      let known = Dictionary(known.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
      var folders: Set<String> = [working]
      for name in try Files.walk(working) where name != Manifest.fileName {
        let file = working + "/" + name
        if let record = known[name], try record.bytes == Files.size(file) {
          files.append(record)
          continue
        }
        let (bytes, checksum) = try Checksum.file(file)
        let descriptor = try Descriptor.openForReading(file)
        defer { close(descriptor) }
        try Descriptor.synchronise(descriptor, path: file)
        folders.insert(Descriptor.parent(of: file))
        files.append(FileRecord(name: name, bytes: bytes, xxh3: Checksum.hex(checksum)))
      }
      let manifest = Manifest(
        format: format, tool: tool, inputs: inputs, configuration: configuration, counts: counts, files: files)
      try manifest.write(folder: working)
      for folder in folders.sorted() { try Descriptor.synchroniseFolder(folder) }
      try publish()
      try Descriptor.synchroniseFolder(Descriptor.parent(of: path))
      close(lock)
      lock = -1
      return manifest
    } catch {
      discard()
      throw error
    }
  }

  /// Puts the finished folder in its place; one that is there is exchanged with it in one step where the system can.
  private func publish() throws {
    try Self.check(path, replacing: replacing)
    guard Files.exists(path), try !Files.entries(of: path).isEmpty else {
      if rename(working, path) != 0 { throw systemError(path, errno, writing: true) }
      return
    }
    #if os(Linux)
    if weir_exchange(working, path) == 0 {
      try Descriptor.synchroniseFolder(Descriptor.parent(of: path))
      try Files.remove(working)
      return
    }
    #endif
    let old = path + ".old"
    try Files.remove(old)
    if rename(path, old) != 0 { throw systemError(path, errno, writing: true) }
    if rename(working, path) != 0 {
      let code = errno
      rename(old, path)
      throw systemError(path, code, writing: true)
    }
    try Files.remove(old)
  }

  /// Removes what was written, or leaves it to the next run.
  package func discard() {
    guard lock >= 0 else { return }
    if !outlives { try? Files.remove(working) }
    close(lock)
    lock = -1
  }
}
