import Foundation
import Primitives
import Storage

/// Parts of an object, which `curl` reads from an address that `s5cmd` signs: the secret key is never on a command line. Server errors (5xx) are
/// retried.
struct ObjectRange {
  private let object: StoredObject
  private let program: String
  private let url: String

  /// - Throws: `WeirError` where a program is missing, or there are no credentials.
  init(_ object: StoredObject) throws {
    guard let program = HelperProgram.find("curl") else {
      throw WeirError(
        object.address, "reading a part of an object needs the program curl, which is not on PATH", remedy: "install the package curl")
    }
    self.object = object
    self.program = program
    url = try ObjectStore.url(of: object)
  }

  /// Reads a part.
  /// - Throws: `WeirError` where the server does not give exactly this part of this version of the object.
  func read(_ range: Range<Int>) throws -> [UInt8] {
    let arguments = ["--silent", "--show-error", "--fail", "--retry", "5", "--connect-timeout", "20", "--config", "-"]
    let settings = [
      "url = \"\(url)\"", "range = \"\(range.lowerBound)-\(range.upperBound - 1)\"", "header = \"If-Match: \\\"\(object.etag)\\\"\"",
      "max-filesize = \(range.count)",
    ]
    let (bytes, complaint) = try HelperProgram.run(
      program, arguments, input: Array((settings.joined(separator: "\n") + "\n").utf8), place: object.address)
    if let complaint {
      // The version that was listed is no longer there.
      if complaint.contains(" 412") { throw WeirError(object.address, "changed while it was read", remedy: "run the command again") }
      throw WeirError(object.address, "curl failed (\(complaint))", remedy: "check the network and the credentials")
    }
    guard bytes.count == range.count else {
      throw WeirError(
        object.address, "the server sent \(bytes.count) bytes where \(range.count) were asked for", remedy: "download the whole object")
    }
    return bytes
  }

  /// Writes a part to a file of the object's size, which is a hole otherwise.
  func copy(_ range: Range<Int>, to path: String) throws {
    try Files.write(read(range), to: path)
    guard truncate(path, off_t(object.size)) == 0 else { throw systemError(path, errno, writing: true) }
  }
}
