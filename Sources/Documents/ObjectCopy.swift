import Foundation
import Primitives
import Storage

/// Objects as local files for as long as this lives: one file, or a folder with the objects below a prefix. The files are links into the cache.
///
/// Of a large file whose format tells what is in it at its beginning, the beginning is enough: the rest of the local file is a hole of the right size.
package final class ObjectCopy {
  /// The local file or folder.
  private let path: String
  private let address: String
  private let folder: String
  private var held: [CachedObject] = []

  private static let headBytes = 1 << 20

  /// - Parameter heads: name endings of files of which the beginning is enough.
  private init(_ address: String, heads: [String] = []) throws {
    let objects = try ObjectStore.list(address)
    self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
    folder = FileManager.default.temporaryDirectory.path + "/weir-" + UUID().uuidString
    path = folder + "/" + (self.address.split(separator: "/").last.map(String.init) ?? "objects")
    try Files.createFolder(folder)
    let cache = try ObjectCache()
    for object in objects {
      let below = object.address.dropFirst(self.address.count)
      guard object.address.hasPrefix(self.address), below.isEmpty || below.hasPrefix("/"), !below.contains("/../") else {
        throw WeirError(address, "is a pattern", remedy: "name one object, or a prefix")
      }
      let file = path + below
      try Files.createFolder(String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]))
      if objects.count == 1, object.size > 8 * Self.headBytes, heads.contains(where: object.address.hasSuffix) {
        try ObjectRange(object).copy(0..<Self.headBytes, to: file)
      } else {
        held.append(try cache.open(object))
        guard symlink(held[held.count - 1].path, file) == 0 else { throw systemError(file, errno, writing: true) }
      }
    }
  }

  deinit { try? Files.remove(folder) }

  /// Calls `body` with a path, or with that of a copy where the path is an address, and with a function that names the address instead of the
  /// copy in a text. Errors name the address, too.
  package static func with<R>(_ path: String, heads: [String] = [], _ body: (String, (String) -> String) throws -> R) throws -> R {
    guard ObjectStore.isAddress(path) else { return try body(path) { $0 } }
    let copy = try ObjectCopy(path, heads: heads)
    let named = { (text: String) in text.replacing(copy.path, with: copy.address) }
    do {
      return try withExtendedLifetime(copy) { try body(copy.path, named) }
    } catch let error as WeirError {
      throw WeirError(named(error.place), named(error.reason), remedy: named(error.remedy))
    }
  }
}
