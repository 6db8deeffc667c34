import Foundation
import Primitives
import Storage

/// Downloaded objects in a folder of limited size, from which those that were not used for longest are removed. An object that has changed in its
/// store is another one. What is being read is not removed, also by other processes.
///
/// The environment may name the folder (`WEIR_CACHE`, else `weir/objects` in the user's cache folder) and the size (`WEIR_CACHE_SIZE`).
final class ObjectCache {
  private let folder: String
  private let limit: Int

  private static let ending = ".object"
  private static let partial = "download-"
  private static let defaultLimit = 20_000_000_000

  /// - Throws: `WeirError` where the folder cannot be created, or the environment does not name a size.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home = value("XDG_CACHE_HOME") ?? value("HOME").map { $0 + "/.cache" } ?? FileManager.default.temporaryDirectory.path
    folder = value("WEIR_CACHE") ?? home + "/weir/objects"
    limit = try value("WEIR_CACHE_SIZE").map(Self.size) ?? Self.defaultLimit
    try Files.createFolder(folder)
  }

  /// A number of bytes such as `50G`.
  private static func size(_ text: String) throws -> Int {
    let scales: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12]
    let scale = text.last.flatMap { scales[$0] }
    guard let number = Double(scale == nil ? text[...] : text.dropLast()), number > 0, number * (scale ?? 1) < 9e18 else {
      throw WeirError("WEIR_CACHE_SIZE", "is \"\(text)\", not a number of bytes", remedy: "write one such as 50G")
    }
    return Int(number * (scale ?? 1))
  }

  /// Opens an object, which is downloaded unless it is there.
  func open(_ object: StoredObject) throws -> CachedObject {
    let identity = "\(object.address)\n\(object.etag)\n\(object.size)\n\(ObjectStore.endpoint ?? "")"
    let path = "\(folder)/\(Checksum128(Array(identity.utf8)).hex)\(Self.ending)"
    // Another process may remove it before it is locked.
    for _ in 0..<3 {
      if let found = CachedObject(path, size: object.size) { return found }
      try download(object, to: path)
    }
    throw WeirError(
      object.address, "is removed from the cache \(folder) by another process before it is read", remedy: "raise WEIR_CACHE_SIZE")
  }

  private func download(_ object: StoredObject, to path: String) throws {
    guard object.size <= limit else {
      throw WeirError(
        object.address, "has \(Format.bytes(object.size)), more than the cache of \(Format.bytes(limit))", remedy: "raise WEIR_CACHE_SIZE")
    }
    try makeRoom(for: object)
    // The lock tells others that this process is alive; the name is new.
    let work = "\(folder)/\(Self.partial)\(UUID().uuidString)"
    try Files.createFolder(work)
    guard let lock = FolderLock(work) else {
      throw WeirError(work, "cannot be locked", remedy: "set WEIR_CACHE to a folder on a local disk")
    }
    defer { withExtendedLifetime(lock) { try? Files.remove(work) } }
    try ObjectStore.download(object, to: work + "/object")
    try Files.move(work + "/object", to: path)
  }

  /// Removes what killed processes left, and objects that were not used for longest, until there is room.
  private func makeRoom(for object: StoredObject) throws {
    var files: [(path: String, bytes: Int, used: Int)] = []
    var total = 0
    for name in try Files.entries(of: folder) {
      let path = folder + "/" + name
      if name.hasPrefix(Self.partial), FolderLock(path) != nil {
        try Files.remove(path)
      } else if name.hasPrefix(Self.partial) {
        total += Fingerprint.bytes(path)
      } else if name.hasSuffix(Self.ending), let bytes = try? Files.size(path), let used = try? Files.modified(path) {
        files.append((path, bytes, used))
        total += bytes
      }
    }
    for file in files.sorted(by: { ($0.used, $0.path) < ($1.used, $1.path) }) where total + object.size > limit {
      guard FolderLock(file.path) != nil else { continue }
      try Files.remove(file.path)
      total -= file.bytes
    }
    guard total + object.size <= limit else {
      throw WeirError(
        object.address, "the cache \(folder) has no room for \(Format.bytes(object.size)): all that is in it is being read",
        remedy: "raise WEIR_CACHE_SIZE")
    }
  }
}

/// A downloaded object, which stays as long as this lives.
final class CachedObject {
  let path: String
  private let descriptor: Int32

  /// nil where it is not there.
  fileprivate init?(_ path: String, size: Int) {
    let opened = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { return nil }
    var own = stat(), found = stat()
    guard flock(opened, LOCK_SH) == 0, fstat(opened, &own) == 0, stat(path, &found) == 0, own.st_ino == found.st_ino,
      Int(own.st_size) == size
    else {
      close(opened)
      return nil
    }
    // The time of the last use.
    futimens(opened, nil)
    self.path = path
    descriptor = opened
  }

  deinit { close(descriptor) }
}

/// An exclusive lock of a file or folder; nil where another process has one.
private final class FolderLock {
  private let descriptor: Int32

  init?(_ path: String) {
    let opened = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { return nil }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      close(opened)
      return nil
    }
    descriptor = opened
  }

  deinit { close(descriptor) }
}
