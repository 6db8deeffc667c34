import Foundation
import Primitives

/// JSON files with sorted keys, indented, written atomically.
package enum JSONFile {
  /// Reads a regular file, and checks it where a list of checksums in its folder covers it.
  /// - Throws: `WeirError` with the path and the invalid member.
  package static func read<T: Decodable>(_ type: T.Type, from path: String) throws -> T {
    let text = try Files.readWhole(path)
    try ChecksumList.check(path) { text.withUnsafeBytes { (text.count, Checksum.xxh3($0)) } }
    return try decode(type, from: text, place: path)
  }

  /// Reads a file that `writeSealed` wrote, and checks its seal. Earlier versions wrote none.
  package static func readSealed<T: Decodable>(_ type: T.Type, from path: String) throws -> T {
    let text = try Files.readWhole(path)
    if JSONSeal.file.isPresent(in: text), let reason = JSONSeal.file.problem(of: text) {
      throw WeirError(path, reason, remedy: "restore it or make it again; if the change is meant, remove the member \(JSONSeal.file.name)")
    }
    return try decode(type, from: text, place: path)
  }

  /// Writes an object with a seal, its member `xxh3`.
  package static func writeSealed<T: Encodable>(_ value: T, to path: String) throws {
    try Files.write(JSONSeal.file.close(text(SealedValue(value: value), place: path)), to: path)
  }

  /// - Throws: `WeirError` with `place` and the invalid member.
  package static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8], place: String) throws -> T {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as DecodingError {
      throw WeirError(place, explain(error), remedy: "correct it or create it again")
    }
  }

  package static func write<T: Encodable>(_ value: T, to path: String) throws { try Files.writeOutput(text(value, place: path), to: path) }

  /// The text that `write` writes, with a newline at the end.
  static func text<T: Encodable>(_ value: T, place: String) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return Array(try encode(value, with: encoder, place: place)) + [0x0A]
  }

  /// Canonical JSON on one line: sorted keys, no spaces, no newline at the end.
  package static func encode<T: Encodable>(_ value: T) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encode(value, with: encoder, place: "JSON"))
  }

  private static func encode<T: Encodable>(_ value: T, with encoder: JSONEncoder, place: String) throws -> Data {
    do {
      return try encoder.encode(value)
    } catch is EncodingError {
      throw WeirError(
        place, "contains NaN/Inf, which JSON cannot represent", remedy: "check the inputs and settings that it was computed from")
    }
  }

  /// The wrong member and the reason, on one line.
  package static func explain(_ error: DecodingError) -> String {
    func at(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
      let path = (context.codingPath + (key.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? "the top level" : "\"\(path)\""
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(at(context, key)) is missing"
    case .typeMismatch(_, let context): return "\(at(context)) has the wrong type"
    case .valueNotFound(_, let context): return "\(at(context)) is null"
    case .dataCorrupted(let context):
      // Foundation does not tell where a number does not fit, such as 1.5 for a count.
      return context.codingPath.isEmpty ? "is not valid JSON, or contains a number out of range" : "\(at(context)) is out of range"
    @unknown default: return "has an unexpected structure"
    }
  }
}
