import Foundation

/// Operations on files and folders. Names are sorted by their bytes.
package enum Files {
  #if WEIR_SMALL_PIECES
  /// Bytes per read: few, so that the small inputs of a fuzzer span several reads, and no run clears large buffers.
  package static let pieceBytes = 1 << 10
  #else
  /// Bytes per read.
  package static let pieceBytes = 1 << 18
  #endif

  package static func read(_ path: String) throws -> [UInt8] {
    let descriptor = try Descriptor.openForReading(path)
    defer { close(descriptor) }
    var status = stat()
    var bytes: [UInt8] = []
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG { bytes.reserveCapacity(Int(status.st_size)) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try Descriptor.read(descriptor, into: buffer, path: path)
      if count == 0 { return bytes }
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// Writes a file atomically (`AtomicFile`).
  package static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(bytes)
    _ = try file.commit()
  }

  /// Writes to standard output.
  /// - Throws: `BrokenPipe` where the reader has closed the pipe; `WeirError`.
  package static func writeToStandardOutput(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try Descriptor.write(STDOUT_FILENO, $0, path: "-") }
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The size of a file in bytes.
  package static func size(_ path: String) throws -> Int {
    var status = stat()
    if stat(path, &status) != 0 { throw systemError(path, errno) }
    return Int(status.st_size)
  }

  /// The modification time of a file, in nanoseconds since 1970.
  package static func modified(_ path: String) throws -> Int {
    var status = stat()
    if stat(path, &status) != 0 { throw systemError(path, errno) }
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
    if mkdir(path, 0o777) != 0, !(errno == EEXIST && isFolder(path)) { throw systemError(path, errno, writing: true) }
  }

  /// Removes a file, or a folder with its content; does nothing where it does not exist.
  package static func remove(_ path: String) throws {
    var status = stat()
    if lstat(path, &status) != 0 {
      if errno == ENOENT { return }
      throw systemError(path, errno, writing: true)
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in try entries(of: path) { try remove(path + "/" + name) }
      if rmdir(path) != 0, errno != ENOENT { throw systemError(path, errno, writing: true) }
    } else if unlink(path) != 0, errno != ENOENT {
      throw systemError(path, errno, writing: true)
    }
  }

  /// The names in a folder, sorted.
  package static func entries(of folder: String) throws -> [String] {
    guard let handle = opendir(folder) else { throw systemError(folder, errno) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
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
    guard glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return [] }
    let paths = (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv?[$0].map { String(cString: $0) } }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// All files below a folder, as sorted paths relative to it.
  /// - Parameter hidden: whether to include names that start with a dot.
  package static func walk(_ folder: String, hidden: Bool = true) throws -> [String] {
    var files: [String] = []
    for name in try entries(of: folder) where hidden || !name.hasPrefix(".") {
      let path = folder + "/" + name
      if isFolder(path) { files += try walk(path, hidden: hidden).map { name + "/" + $0 } } else { files.append(name) }
    }
    return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
