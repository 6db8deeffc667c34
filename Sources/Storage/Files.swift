import Foundation
import Primitives

/// Operations on files and folders. Names are sorted by their bytes.
package enum Files {
  #if WEIR_SMALL_PIECES
  /// Bytes per read: few, so that the small inputs of a fuzzer span several reads, and no run clears large buffers.
  package static let pieceBytes = 1 << 10
  #else
  /// Bytes per read.
  package static let pieceBytes = 1 << 18
  #endif

  /// Reads a file that a user names, which may be a pipe.
  /// - Throws: `WeirError` where it is a pipe or device with more than 1 GiB.
  package static func read(_ path: String) throws -> [UInt8] {
    let descriptor = try Descriptor.openForReading(path)
    defer { close(descriptor) }
    var status = stat()
    var bytes: [UInt8] = []
    let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    if isRegular { bytes.reserveCapacity(Int(status.st_size)) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try Descriptor.read(descriptor, into: buffer, path: path)
      if count == 0 { return bytes }
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      guard isRegular || bytes.count <= 1 << 30 else { throw WeirError(path, "is a pipe or device without end", remedy: "check the path") }
    }
  }

  /// Reads a regular file that is kept in memory as a whole, such as JSON.
  /// - Throws: `WeirError` where it is not a regular file, or is larger than `limit` bytes.
  package static func readWhole(_ path: String, limit: Int = 1 << 30) throws -> [UInt8] {
    let descriptor = try Descriptor.openRegular(path)
    defer { close(descriptor) }
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw systemError(path, errno) }
    guard status.st_size <= limit else {
      throw WeirError(path, "has \(status.st_size) bytes, more than the \(limit) that such a file may have", remedy: "check the path")
    }
    var done = 0
    return try [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
      while done < buffer.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[done...])
        let got = try Descriptor.read(descriptor, into: rest, path: path)
        if got == 0 { break }
        done += got
      }
      count = done
    }
  }

  /// Removes what is neither a regular file nor a folder below a folder, without following symbolic links.
  package static func removeLinks(below folder: String) throws {
    for name in try entries(of: folder) {
      let path = folder + "/" + name
      var status = stat()
      if FileName.withBytes(path, { lstat($0, &status) }) != 0 { throw systemError(path, errno, writing: true) }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try removeLinks(below: path)
      case S_IFREG: break
      default: try remove(path)
      }
    }
  }

  /// Writes a file atomically (`AtomicFile`).
  package static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(bytes)
    _ = try file.commit()
  }

  /// Writes text to a file that a user has named: atomically, and compressed where the name ends in `.zst`.
  /// - Throws: `WeirError`, also for a name that ends in `.gz`.
  package static func writeOutput(_ bytes: [UInt8], to path: String) throws {
    let writer = try StreamWriter(path, kind: .documents, coding: .of(path: path))
    try writer.write(bytes, records: bytes.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) })
    try writer.finish()
  }

  /// Writes to standard output.
  /// - Throws: `BrokenPipe` where the reader has closed the pipe; `WeirError`.
  package static func writeToStandardOutput(_ bytes: UnsafeRawBufferPointer) throws {
    try Descriptor.write(STDOUT_FILENO, bytes, path: "-")
  }

  package static func exists(_ path: String) -> Bool { FileName.withBytes(path) { access($0, F_OK) } == 0 }

  /// What is at a path, behind symbolic links.
  /// - Throws: `WeirError` where there is nothing, or it cannot be reached.
  private static func status(_ path: String) throws -> stat {
    var status = stat()
    if FileName.withBytes(path, { stat($0, &status) }) != 0 { throw systemError(path, errno) }
    return status
  }

  private static func isKind(_ kind: mode_t, _ path: String) -> Bool { (try? status(path).st_mode & S_IFMT == kind) ?? false }

  /// Whether this process may write a file, or into a folder.
  package static func isWritable(_ path: String) -> Bool { FileName.withBytes(path) { access($0, W_OK) } == 0 }

  package static func isFolder(_ path: String) -> Bool { isKind(S_IFDIR, path) }

  /// Whether a path is a file with content of its own: no folder, pipe, socket or device.
  package static func isRegular(_ path: String) -> Bool { isKind(S_IFREG, path) }

  /// The size of a file in bytes.
  package static func size(_ path: String) throws -> Int { Int(try status(path).st_size) }

  /// The modification time of a file, in nanoseconds since 1970.
  package static func modified(_ path: String) throws -> Int {
    let status = try status(path)
    #if os(Linux)
    let time = status.st_mtim
    #else
    let time = status.st_mtimespec
    #endif
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Creates a folder and its parents; does nothing where it exists.
  package static func createFolder(_ path: String) throws {
    if path.isEmpty || isFolder(path) { return }
    let parent = Descriptor.parent(of: path)
    if parent != path, !isFolder(parent) { try createFolder(parent) }
    if FileName.withBytes(path, { mkdir($0, 0o777) }) != 0, !(errno == EEXIST && isFolder(path)) {
      throw systemError(path, errno, writing: true)
    }
  }

  /// Removes a file, or a folder with its content; does nothing where it does not exist.
  package static func remove(_ path: String) throws {
    var status = stat()
    if FileName.withBytes(path, { lstat($0, &status) }) != 0 {
      if errno == ENOENT { return }
      throw systemError(path, errno, writing: true)
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in try entries(of: path) { try remove(path + "/" + name) }
      if FileName.withBytes(path, { rmdir($0) }) != 0, errno != ENOENT { throw systemError(path, errno, writing: true) }
    } else if FileName.withBytes(path, { unlink($0) }) != 0, errno != ENOENT {
      throw systemError(path, errno, writing: true)
    }
  }

  /// Renames a file or a folder, and replaces a file that has the new name.
  package static func move(_ path: String, to target: String) throws {
    if FileName.withBytes(path, { from in FileName.withBytes(target) { rename(from, $0) } }) != 0 {
      throw systemError(target, errno, writing: true)
    }
  }

  /// The names in a folder, sorted.
  package static func entries(of folder: String) throws -> [String] {
    guard let handle = FileName.withBytes(folder, { opendir($0) }) else { throw systemError(folder, errno) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { FileName.string($0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The paths that match a glob pattern with `*`, `?` or `[…]`, sorted; empty where `pattern` contains none of these.
  package static func matching(_ pattern: String) -> [String] {
    guard pattern.contains(where: { "*?[".contains($0) }) else { return [] }
    var found = glob_t()
    defer { globfree(&found) }
    guard FileName.withBytes(pattern, { glob($0, GLOB_NOSORT, nil, &found) }) == 0 else { return [] }
    let paths = (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv?[$0].map { FileName.string($0) } }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Identifies a file or folder, whatever path leads to it.
  package struct Identity: Hashable, Sendable { var device, number: UInt64 }

  package static func identity(_ path: String) throws -> Identity {
    let status = try status(path)
    return Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
  }

  /// All files below a folder, as sorted paths relative to it. A folder that symbolic links lead to more than once is read once.
  /// - Parameter hidden: whether to include names that start with a dot.
  package static func walk(_ folder: String, hidden: Bool = true) throws -> [String] {
    var visited: Set<Identity> = [], files: [String] = []
    func visit(_ folder: String, _ prefix: String) throws {
      guard try visited.insert(identity(folder)).inserted else { return }
      for name in try entries(of: folder) where hidden || !name.hasPrefix(".") {
        let path = folder + "/" + name
        if isFolder(path) { try visit(path, prefix + name + "/") } else { files.append(prefix + name) }
      }
    }
    try visit(folder, "")
    return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
