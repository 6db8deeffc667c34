import Foundation
import Primitives

/// JSON files with sorted keys, indented, written atomically.
package enum JSONFile {
  /// - Throws: `WeirError` with the path and the invalid member.
  package static func read<T: Decodable>(_ type: T.Type, from path: String) throws -> T {
    try decode(type, from: try Files.read(path), place: path)
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
