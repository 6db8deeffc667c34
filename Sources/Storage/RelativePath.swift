import Foundation

/// Paths that are stored in files relative to the folder of the file, so that both can be moved together.
package enum RelativePath {
  /// The path as it is stored in `file`.
  package static func store(_ path: String, in file: String) -> String {
    let target = parts(path), home = parts(file).dropLast()
    let shared = zip(target, home).prefix { $0 == $1 }.count
    // Nothing in common but the root: an absolute path stays right when only the file is moved.
    guard shared > 1 else { return "/" + target.dropFirst().joined(separator: "/") }
    let up = [String](repeating: "..", count: home.count - shared)
    let parts = up + target[shared...]
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  /// The path that is stored in `file`.
  package static func resolve(_ path: String, in file: String) -> String {
    guard !path.hasPrefix("/") else { return path }
    let folder = file.lastIndex(of: "/").map { String(file[..<$0]) }
    return folder.map { "\($0.isEmpty ? "" : $0)/\(path)" } ?? path
  }

  private static func parts(_ path: String) -> [String] { URL(fileURLWithPath: path).standardizedFileURL.pathComponents }
}
