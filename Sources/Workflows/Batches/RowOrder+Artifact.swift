import Loading
import Primitives
import Storage
import Tokenization
import Tokens

extension RowOrder: Artifact {
  package static func open(_ path: String) throws -> RowOrder { try read(from: path) }

  /// The shares of the groups, and the first rows as text, with a line per segment.
  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let order = try read(from: path), n = Format.count
    var facts = TextTable()
    facts.add("rows of", "\(n(order.sequence)) tokens")
    for source in order.sources { facts.add("drawn from", Format.clip(source.rows, 100)) }
    facts.add("begins at", "position \(n(order.fromPosition))")
    if let end = order.endPosition { facts.add("ends at", "position \(n(end)), for which its weights are capped") }
    let capacity = order.draws.capacity
    facts.add("rows at most", capacity >= DrawOrder.unlimited ? "without end" : n(capacity))
    facts.add("stages", n(order.draws.stages.count))
    facts.add("fingerprint", order.fingerprint)
    let block = min(capacity, order.fromPosition + DrawOrder.block)
    let drawn = zip(order.draws.counts(before: block), order.draws.counts(before: order.fromPosition)).map { $0 - $1 }
    var groups = TextTable(["group", "rows", "tokens", "share of the next \(n(block - order.fromPosition)) rows"], right: [1, 2, 3])
    let sorted = order.groups.indices.sorted { (drawn[$1], $0) < (drawn[$0], $1) }
    for index in sorted.prefix(lines) {
      let group = order.groups[index]
      groups.add(
        Format.clip(group.name, 60), n(group.rows), n(group.tokens),
        Format.percent(Double(drawn[index]) / Double(max(1, block - order.fromPosition)), 2))
    }
    let head = [kind] + facts.lines + [""] + groups.lines + Format.more(order.groups.count - lines, "groups")
    guard let loader = try? PackedLoader(order: path, rows: 1) else {
      return head + ["", "its packed rows are not there, so no row is shown"]
    }
    return head + [""] + (try rows(of: loader, lines: lines, capacity: capacity))
  }

  /// The first rows: for every segment its document, its tokens, and its text shortened in the middle.
  private static func rows(of loader: PackedLoader, lines: Int, capacity: Int) throws -> [String] {
    let datasets = try loader.sources.map { try TokenDataset($0.tokens.path) }
    let tokenizers = datasets.map { try? $0.openTokenizer() }
    var result: [String] = []
    var position = loader.order.fromPosition
    while result.count < lines, position < capacity {
      let batch = try loader.batch(positions: CollectionOfOne(position))
      result.append("position \(position)")
      for segment in batch.segments {
        let info = try datasets[segment.dataset].info(segment.document)
        let ids = batch.tokens[segment.start..<segment.start + segment.count].map { UInt32(bitPattern: $0) }
        let text =
          tokenizers[segment.dataset].map { shortened(String(decoding: $0.decode(ids), as: UTF8.self)) }
          ?? ids.prefix(12).map(String.init).joined(separator: " ")
        result.append(
          "  │ \(segment.start)–\(segment.start + segment.count - 1)  \(Format.clip(info.id, 40)) from token \(segment.offset): \(text)")
      }
      let used = batch.segments.reduce(0) { $0 + $1.count }
      if used < loader.sequence { result.append("  │ \(used)–\(loader.sequence - 1)  padding") }
      position += 1
    }
    return result
  }

  private static func shortened(_ text: String) -> String {
    let text = Format.escaped(text)
    return text.count <= 72 ? text : "\(text.prefix(40)) … \(text.suffix(28))"
  }
}
