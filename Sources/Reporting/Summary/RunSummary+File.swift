import Foundation
import Pipeline
import Primitives

extension RunSummary {
  /// The file's name in a run folder.
  package static let fileName = "summary.json"

  /// Reads a summary.
  /// - Parameter path: a run folder, or the file itself.
  /// - Throws: `WeirError` where there is no such file, or where it is not a summary.
  package static func read(_ path: String) throws -> RunSummary {
    let folder = URL(fileURLWithPath: path)
    var isFolder = false
    if let type = try? FileManager.default.attributesOfItem(atPath: folder.resolvingSymlinksInPath().path)[.type] as? FileAttributeType {
      isFolder = type == .typeDirectory
    } else {
      throw WeirError(path, "no such file or folder", remedy: "name a run folder or its \(fileName)")
    }
    let file = isFolder ? folder.appendingPathComponent(fileName) : folder
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw WeirError(path, "no \(fileName) in this folder", remedy: "finish the run first, or name another folder")
    }
    let data: Data
    do { data = try Data(contentsOf: file) } catch {
      throw WeirError(file.path, "cannot be read", remedy: "check its permissions")
    }
    do { return try decode(data) } catch {
      throw WeirError(file.path, "is not a run's summary (\(Self.explain(error)))", remedy: "write it again by running the recipe")
    }
  }

  /// Reads a summary from JSON text.
  /// - Throws: `DecodingError`.
  package static func decode(_ data: Data) throws -> RunSummary {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(RunSummary.self, from: data)
  }

  /// The summary as JSON text: sorted keys, indented; numbers that are not finite as the strings `inf`, `-inf`, `nan`.
  package func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(self)
  }

  /// Where in the file the decoder stopped, and why, in one clause.
  private static func explain(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "not JSON" }
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context), .dataCorrupted(let context):
      let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
      return keys.isEmpty ? "not JSON" : "at \(keys.drop { $0 == "." })"
    @unknown default: return "not JSON"
    }
  }
}

extension RunSummary.Account {
  /// The account of a stage, as the pipeline kept it.
  package init(_ account: Pipeline.Account) {
    self.init(
      name: account.stage, input: account.input, output: account.output, dropped: account.dropped,
      quarantined: account.quarantined, bytesIn: Double(account.bytesIn), bytesOut: Double(account.bytesOut),
      seconds: account.seconds, extra: account.extra)
  }

  /// Records dropped, for whatever reason.
  var droppedTotal: Int { (dropped ?? [:]).values.reduce(0) { $0.addingReportingOverflow($1).partialValue } }
  /// Records quarantined, for whatever reason.
  var quarantinedTotal: Int { (quarantined ?? [:]).values.reduce(0) { $0.addingReportingOverflow($1).partialValue } }
  /// Records that are unaccounted for: 0 where the account balances; nil where counts are missing.
  var imbalance: Int? {
    guard let input, let output else { return nil }
    return [output, droppedTotal, quarantinedTotal].reduce(input) { $0.subtractingReportingOverflow($1).partialValue }
  }
}
