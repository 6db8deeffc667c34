import Foundation
import Primitives
import Synchronization

/// The files and folders that a command reads. While they are held, nothing in this process replaces them: `--rejects CORPUS` is a slip.
package final class InputHold: Sendable {
  /// How often each one is held, by its path without symbolic links.
  private static let held = Mutex<[String: Int]>([:])

  private let paths: [String]

  /// Holds paths; those that do not exist, such as `-` and patterns, are left out.
  /// - Throws: `WeirError` where one is being written by this process.
  package init(_ paths: [String]) throws {
    self.paths = paths.filter { $0 != "-" }.compactMap(Descriptor.resolve)
    for path in self.paths where OutputLock.isHeld(path) { throw Self.error(path) }
    Self.held.withLock { held in for path in self.paths { held[path, default: 0] += 1 } }
  }

  deinit {
    Self.held.withLock { held in
      for path in paths {
        let count = (held[path] ?? 0) - 1
        held[path] = count > 0 ? count : nil
      }
    }
  }

  /// Throws where an output is held as an input, or is a file of a folder that is.
  /// - Parameter path: the output without symbolic links.
  static func check(_ path: String, output: String) throws {
    let folders = held.withLock { $0.keys.filter { path == $0 || path.hasPrefix($0 + "/") } }
    guard let root = folders.min(by: { $0.count < $1.count }) else { return }
    if path == root || folders.contains(path) { throw error(output) }
    // What a command adds to a dataset's folder is in no manifest; the model of a run is a part of it.
    if Files.exists(path + "/" + Manifest.fileName), Files.exists(Descriptor.parent(of: path) + "/run.json") { throw error(output) }
    var folder = Descriptor.parent(of: path)
    while folder.count >= root.count, folder != "/", folder != "." {
      let name = path.dropFirst(folder.count + 1)
      // A folder that is being written has no manifest yet.
      guard Files.exists(folder + "/" + Manifest.fileName) else {
        folder = Descriptor.parent(of: folder)
        continue
      }
      if name == Manifest.fileName || (try? Manifest.read(folder: folder))?.files.contains(where: { $0.name == name }) == true {
        throw error(output)
      }
      folder = Descriptor.parent(of: folder)
    }
  }

  private static func error(_ path: String) -> WeirError {
    WeirError(path, "is an input of this command and would be replaced", remedy: "choose another output")
  }
}
