import Foundation
import Primitives
import Synchronization

/// Holds an output for one process, from before anything is written until the writer is done.
///
/// The lock is a `flock` on a hidden file: `.NAME.lock` beside an output that is replaced as a whole, `FOLDER/.lock` in a folder that is filled
/// in place, such as a run. It covers what the process writes inside. The system releases it when the process ends, however it ends; the lock
/// file of a killed process stays until the next writer takes it over. It is a file of its own because the output is renamed, and
/// because network file systems lock no folders.
package final class OutputLock {
  package static let suffix = ".lock"

  /// Why this process holds an output. A command may hold what it writes later, but no output is written twice at the same time.
  package enum Purpose: Sendable { case command, writing }

  private struct Held {
    var descriptor: Int32
    var purposes: Set<Purpose>
    /// What lies in this folder is covered.
    var folder: String
    /// Whether the folder was created for the lock.
    var isNew = false
  }

  /// The process that holds an output; the content of a lock file.
  private struct Holder: Codable {
    var pid: Int32
    var host: String
    var since: String
    var command: String

    static var own: Holder {
      var name = [CChar](repeating: 0, count: 256)
      gethostname(&name, name.count - 1)
      let program = CommandLine.arguments.first.map { Descriptor.name(of: $0) } ?? "weir"
      return Holder(
        pid: getpid(), host: name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" },
        since: Date().formatted(.iso8601), command: ([program] + CommandLine.arguments.dropFirst()).joined(separator: " "))
    }

    /// `pid 4242 since 2026-01-31T10:00:00Z: weir train …`
    var description: String {
      let place = host == Self.own.host ? "" : " on \(host)"
      let clipped = command.count > 160 ? command.prefix(159) + "…" : command[...]
      return "pid \(pid)\(place) since \(since): `\(clipped)`"
    }
  }

  /// What this process holds, by lock file.
  private static let held = Mutex<[String: Held]>([:])

  private let purpose: Purpose
  /// nil if a lock of this process covers the output, or after `release`.
  private var file: String?

  /// Locks a file, or a folder that is replaced as a whole.
  /// - Throws: `WeirError` with the holder where another process writes it.
  package convenience init(_ output: String, for purpose: Purpose = .writing) throws {
    let path = try Self.canonical(output)
    try InputHold.check(path, output: output)
    try self.init(file: Self.lockFile(path), folder: path + ".partial", output: output, for: purpose)
  }

  private static func lockFile(_ path: String) -> String { Descriptor.parent(of: path) + "/." + Descriptor.name(of: path) + suffix }

  /// Whether this process holds an output.
  /// - Parameter path: without symbolic links.
  static func isHeld(_ path: String) -> Bool { held.withLock { $0[lockFile(path)] != nil } }

  /// Whether another process writes an output now.
  package static func isHeldElsewhere(_ output: String) -> Bool {
    guard let path = try? canonical(output) else { return false }
    let file = lockFile(path)
    if held.withLock({ $0[file] != nil }) { return false }
    let descriptor = FileName.withBytes(file) { open($0, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// Locks a folder that is filled in place, and creates it where it does not exist.
  package convenience init(filling folder: String) throws {
    let isNew = !Files.exists(folder)
    try Files.createFolder(folder)
    let path = try Self.canonical(folder)
    try self.init(file: path + "/" + Self.suffix, folder: path, output: folder, for: .writing, isNew: isNew)
  }

  private init(file: String, folder: String, output: String, for purpose: Purpose, isNew: Bool = false) throws {
    self.purpose = purpose
    let isLocked = try Self.held.withLock { held in
      if held[file]?.purposes.insert(purpose).inserted == false {
        throw WeirError(output, "would be written twice by this command", remedy: "give two different paths")
      }
      if held[file] != nil { return true }
      let isOwn = file.hasSuffix("/" + Self.suffix)
      if !isOwn, held.values.contains(where: { file.hasPrefix($0.folder + "/") }) { return false }
      held[file] = Held(descriptor: try Self.acquire(file, output: output), purposes: [purpose], folder: folder, isNew: isNew)
      return true
    }
    if isLocked { self.file = file }
  }

  deinit { release() }

  /// Ends the lock and removes its file.
  package func release() {
    guard let file else { return }
    self.file = nil
    Self.held.withLock { held in
      held[file]?.purposes.remove(purpose)
      guard let lock = held[file], lock.purposes.isEmpty else { return }
      held[file] = nil
      if Self.isSame(file, lock.descriptor) { FileName.withBytes(file) { _ = unlink($0) } }
      // A command that fails before it writes leaves no empty folder.
      if lock.isNew { FileName.withBytes(lock.folder) { _ = rmdir($0) } }
      close(lock.descriptor)
    }
  }

  /// Holds the outputs of a command, as far as their folders exist: commands that create folders lock them when they do.
  package static func hold(_ outputs: [String]) throws -> [OutputLock] {
    try outputs.compactMap { output in
      let parent = Descriptor.parent(of: output)
      var status = stat()
      let isSpecial = FileName.withBytes(output, { stat($0, &status) }) == 0 && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
      return output == "-" || isSpecial || !Files.isFolder(parent) ? nil : try OutputLock(output, for: .command)
    }
  }

  /// The path without symbolic links; the last part need not exist.
  private static func canonical(_ output: String) throws -> String {
    var path = output
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    if let resolved = Descriptor.resolve(path) { return resolved }
    let parent = Descriptor.parent(of: path)
    guard let folder = Descriptor.resolve(parent) else { throw systemError(output, errno, writing: true) }
    return (folder == "/" ? "" : folder) + "/" + Descriptor.name(of: path)
  }

  private static func acquire(_ file: String, output: String) throws -> Int32 {
    while true {
      try Descriptor.refuseUnusual(file, S_IFREG, for: "the lock of \(displayName(output, writing: true))")
      let descriptor = FileName.withBytes(file) { open($0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666) }
      if descriptor < 0 { throw systemError(output, errno, writing: true) }
      // File systems without locks refuse with another error; nothing can be held there.
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        defer { close(descriptor) }
        throw WeirError(
          output, "another process is writing to it" + (holder(file).map { " (\($0.description))" } ?? ""),
          remedy: "wait for that process or choose another path")
      }
      // The process before may have removed the file between open and lock.
      if isSame(file, descriptor) {
        if ftruncate(descriptor, 0) == 0, let text = try? JSONFile.encode(Holder.own) + [0x0A] {
          // The text only serves the error of another process.
          try? text.withUnsafeBytes { try Descriptor.write(descriptor, $0, path: file) }
        }
        return descriptor
      }
      close(descriptor)
    }
  }

  /// Reads the holder, which writes its name just after it has locked the file.
  private static func holder(_ file: String) -> Holder? {
    for _ in 0..<20 {
      if let holder = try? JSONFile.read(Holder.self, from: file) { return holder }
      usleep(5_000)
    }
    return nil
  }

  private static func isSame(_ file: String, _ descriptor: Int32) -> Bool {
    var own = stat(), found = stat()
    return fstat(descriptor, &own) == 0 && FileName.withBytes(file, { lstat($0, &found) }) == 0 && own.st_ino == found.st_ino
      && own.st_dev == found.st_dev
  }
}
