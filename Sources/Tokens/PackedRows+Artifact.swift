import Primitives
import Storage

extension PackedRows: Artifact {
  package static let form = ArtifactForm.folder

  /// Opens packed rows in the folder of their dataset.
  package static func open(_ path: String) throws -> PackedRows { try PackedRows(path, dataset: TokenReader(datasetPath(path))) }

  private static func datasetPath(_ path: String) -> String { path + "/../.." }

  package static func verifies(file name: String) -> Bool { name == rowsFile || name == segmentsFile }

  /// Every row's segments fit the row and their documents, the groups' numbers are those of their rows, and every document's tokens are in segments.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    let manifest = try Manifest.read(folder: path, format: format)
    guard let dataset = try? Manifest.read(folder: datasetPath(path), format: TokenDataset.format).fingerprint,
      dataset == manifest.inputs["dataset"]
    else {
      context.note("\(path): the dataset that it was packed from is not around it, so the segments are not compared with its documents")
      return
    }
    let rows = try open(path)
    var problems = ProblemList(context)
    var left = try (0..<rows.tokens.documentCount).map { try rows.tokens.length($0) }
    for (number, group) in rows.groups.enumerated() {
      var tokens = 0
      for row in rows.firstRows[number]..<rows.firstRows[number + 1] {
        if row % 4_096 == 0 { try context.checkStop() }
        for segment in try rows.segments(row: row) {
          tokens += segment.count
          left[segment.document] -= segment.count
          guard segment.offset + segment.count <= (try rows.tokens.length(segment.document)) else {
            problems.add("\(path): row \(row) has tokens after the end of document \(segment.document)")
            continue
          }
        }
      }
      if tokens != group.tokens { problems.add("\(path): group \(group.name) counts \(group.tokens) tokens, its rows have \(tokens)") }
    }
    for (document, count) in left.enumerated() where count != 0 {
      problems.add("\(path): \(count) tokens of document \(document) are in \(count > 0 ? "no row" : "two rows")")
    }
    problems.finish(path, "problems")
  }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let rows = try open(path), n = Format.count
    var facts = TextTable()
    func count(_ name: String) -> Int { rows.manifest.counts[name] ?? 0 }
    let tokens = count("tokens"), padding = count("padding")
    facts.add("rows", "\(n(rows.rowCount)) of \(n(rows.sequence)) tokens, \(rows.manifest.configuration["packing"]?.string ?? "")")
    facts.add("tokens", "\(n(tokens)), and \(n(padding)) of padding (\(Format.percent(Double(padding) / Double(max(1, tokens + padding)), 2)))")
    facts.add(
      "segments",
      "\(n(rows.segmentCount)); \(n(count("cut_documents"))) documents or parts are cut; \(Format.percent(Double(count("whole_document_tokens")) / Double(max(1, tokens)), 1)) of the tokens are in a whole document"
    )
    facts.add("from dataset", rows.tokens.fingerprint)
    facts.add("fingerprint", rows.fingerprint)
    var groups = TextTable(["group", "rows", "tokens"], right: [1, 2])
    for group in rows.groups.prefix(lines) { groups.add(Format.clip(group.name, 60), n(group.rows), n(group.tokens)) }
    var table = TextTable(["row", "segments (document: tokens)"], right: [0])
    for row in 0..<min(lines, rows.rowCount) {
      let segments = try rows.segments(row: row).map { "\($0.document): \($0.offset)–\($0.offset + $0.count - 1)" }
      table.add("\(row)", Format.clip(segments.joined(separator: ", "), 120))
    }
    return [kind] + facts.lines + [""] + groups.lines + Format.more(rows.groups.count - lines, "groups") + [""] + table.lines
      + Format.more(rows.rowCount - lines, "rows")
  }
}
