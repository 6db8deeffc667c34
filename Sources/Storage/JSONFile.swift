import Foundation
import Primitives

/// Small JSON files: sorted keys, indented, written all or nothing.
package enum JSONFile {
  /// Reads a value.
  /// - Throws: `WeirError` that names the file and the member that is wrong.
  package static func read<T: Decodable>(_ type: T.Type, from path: String) throws -> T {
    try decode(type, from: try Files.read(path), place: path)
  }

  /// Decodes a value.
  package static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8], place: String) throws -> T {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as DecodingError {
      throw WeirError(place, explain(error), remedy: "write it again, or correct it by hand")
    }
  }

  /// Writes a value, all or nothing.
  package static func write<T: Encodable>(_ value: T, to path: String) throws {
    try Files.write(text(value, place: path), to: path)
  }

  /// The text that `write` writes: sorted keys, indented, a newline at the end.
  static func text<T: Encodable>(_ value: T, place: String) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return Array(try encode(value, with: encoder, place: place)) + [0x0A]
  }

  /// Canonical JSON: sorted keys, no blanks.
  package static func encode<T: Encodable>(_ value: T) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encode(value, with: encoder, place: "JSON"))
  }

  /// One line of canonical JSON, without its newline.
  package static func encodeLine<T: Encodable>(_ value: T) throws -> [UInt8] { try encode(value) }

  private static func encode<T: Encodable>(_ value: T, with encoder: JSONEncoder, place: String) throws -> Data {
    do {
      return try encoder.encode(value)
    } catch is EncodingError {
      throw WeirError(place, "a number to be written is not finite")
    }
  }

  private static func explain(_ error: DecodingError) -> String {
    func at(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
      let path = (context.codingPath + (key.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? "the top level" : "\"\(path)\""
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(at(context, key)) is missing"
    case .typeMismatch(_, let context): return "\(at(context)) has the wrong type"
    case .valueNotFound(_, let context): return "\(at(context)) is null"
    case .dataCorrupted(let context):
      // Foundation says no more of a number that does not fit, such as 1.5 for a count.
      return context.codingPath.isEmpty ? "is not valid JSON, or holds a number out of range" : "\(at(context)) is out of range"
    @unknown default: return "is not what was expected"
    }
  }
}
