import Artifacts
import Filtering
import Pipeline

/// The sections on data: data flow, clusters, mixture.
enum DataSections {
  static func flow(_ summary: RunSummary) -> Section? {
    Section(
      "data", summary.accounts.isEmpty ? "Data" : "Data flow",
      lead: summary.accounts.isEmpty
        ? "The documents and tokens of the dataset."
        : "The account of a stage balances if every record is accounted for: in = out + dropped + quarantined.",
      [
        AccountsChart(summary.accounts)?.figure, table(summary.accounts), summary.filters.map(losses).joined(separator: "\n"),
        summary.dataset.map { sizes($0, tokenizer: summary.tokenizer) },
        parts(summary.dataset?.byDomain, "Dataset by domain"), parts(summary.dataset?.bySource, "Dataset by source"),
      ])
  }

  private static func table(_ accounts: [Account]) -> String? {
    guard !accounts.isEmpty else { return nil }
    var table = Table(
      "Accounts per stage",
      [
        .text("Stage"), .number("In"), .number("Out"), .number("Dropped"), .number("Quarantined"), .text("Account"), .number("Text read"),
        .number("Text written"), .number("Time"), .text("Other counts"),
      ])
    for account in accounts {
      let missing = account.input - account.output - account.droppedTotal - account.quarantinedTotal
      let extra = account.extra.sorted { $0.key < $1.key }.map { "\($0.key.spaced)\(Number.gap)\(Number.compact($0.value))" }
      table.add([
        account.stage.spaced, Number.integer(account.input), Number.integer(account.output), Number.integer(account.droppedTotal),
        Number.integer(account.quarantinedTotal), account.isBalanced ? "balances" : "off by \(Number.integer(missing))",
        account.bytesIn > 0 ? Number.bytes(account.bytesIn) : "", account.bytesOut > 0 ? Number.bytes(account.bytesOut) : "",
        account.seconds == 0 ? "" : Number.seconds(account.seconds), extra.joined(separator: ", "),
      ])
    }
    return table.markup
  }

  /// The most domains with a column of their own.
  private static let columns = 6

  /// What each rule of a filter dropped from each domain, and a sample of it.
  private static func losses(_ filter: FilterReport) -> String {
    guard filter.dropped > 0 else { return "" }
    let shown = Array(filter.domains.count > 1 ? filter.domains.prefix(columns) : []), rest = filter.domains.dropFirst(shown.count)
    let hasRest = !shown.isEmpty && !rest.isEmpty
    var table = Table(
      "Documents dropped by the filter, by the first rule that they break and by \(filter.by.spaced)",
      [.text("Rule"), .text("Threshold"), .number("All")] + shown.map { .number($0.name) }
        + (hasRest ? [.number("\(rest.count) others")] : []))
    func add(_ name: String, _ limit: String, _ total: Int, style: String = "", _ count: (FilterReport.Domain) -> Int) {
      let others = hasRest ? [Number.integer(rest.reduce(0) { $0 + count($1) })] : []
      table.add([name, limit, Number.integer(total)] + shown.map { Number.integer(count($0)) } + others, style: style)
    }
    add("documents", "", filter.documents) { $0.documents }
    for rule in filter.rules { add(rule.name, threshold(rule), rule.dropped) { rule.byDomain[$0.name] ?? 0 } }
    add("kept", "", filter.documents - filter.dropped, style: "strong") { $0.documents - $0.dropped }
    var samples = Table(
      "A sample of the documents that the filter dropped",
      [.text("Rule"), .number("Measured"), .text("Threshold"), .text("Document"), .text("Beginning of the text")])
    for rule in filter.rules {
      for sample in rule.samples {
        samples.add([rule.name, sample.measured.map { Number.general($0) } ?? "", threshold(rule), sample.origin, sample.text])
      }
    }
    return table.markup + (samples.rowCount > 0 ? "\n" + samples.folded(above: 0) : "")
  }

  private static func threshold(_ rule: FilterReport.Rule) -> String {
    if let minimum = rule.minimum { return "at least \(Number.general(minimum))" }
    return rule.maximum.map { "at most \(Number.general($0))" } ?? ""
  }

  private static func sizes(_ dataset: DatasetSummary, tokenizer: String?) -> String {
    var text = "The dataset has \(Number.count(dataset.documents, "document")), \(Number.compact(dataset.tokens)) tokens in "
    text += "\(Number.count(dataset.windows, "window")), and \(Number.bytes(dataset.bytes)) of text "
    text += "(\(Number.fixed(dataset.bytesPerToken, 2)) bytes per token). The tokenizer "
    if let tokenizer { text += "is \(tokenizer); it " }
    text += "has a vocabulary of \(Number.integer(dataset.vocabulary)) tokens."
    return "<p>\(Escape.text(text))</p>"
  }

  private static func parts(_ parts: [DatasetSummary.Part]?, _ caption: String) -> String? {
    guard let parts, !parts.isEmpty else { return nil }
    let total = max(1, parts.reduce(0) { $0 + $1.tokens })
    var table = Table(caption, [.text("Name"), .number("Documents"), .number("Tokens"), .number("Share of tokens"), .number("Text")])
    for part in parts {
      table.add([
        part.name, Number.integer(part.documents), Number.compact(part.tokens), Number.percent(Double(part.tokens) / Double(total)),
        Number.bytes(part.bytes),
      ])
    }
    return table.folded(above: 12)
  }

  static func clusters(_ summary: RunSummary) -> Section? {
    Section(
      "clusters", "Clusters",
      lead: summary.tree == nil && summary.dataset == nil
        ? "The leaves of the cluster tree that the mixture was made with."
        : "Windows of at most 1,024 tokens, clustered by hierarchical k-means on their embeddings. The terms of a cluster are those that "
          + "distinguish it from its parent.",
      [summary.tree.map(shape), ClusterMap(summary.clusters)?.figure, table(summary.clusters)])
  }

  private static func shape(_ tree: TreeSummary) -> String {
    var table = Table("Levels of the tree", [.text("Level"), .number("Nodes"), .number("Leaves"), .number("Children per inner node")])
    for (level, row) in tree.levels.enumerated() {
      let children = row.children.map { $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound) – \($0.upperBound)" }
      table.add([String(level), Number.integer(row.nodes), Number.integer(row.leaves), children ?? ""])
    }
    let distance = tree.isSpherical ? "spherical (cosine)" : "Euclidean"
    let text = "\(tree.dimensions) dimensions, \(distance) k-means, embedder \(tree.embedder)."
    return "<p>\(Escape.text(text))</p>\n\(table.markup)"
  }

  /// The most rows of the table of clusters.
  private static let limit = 256

  private static func table(_ clusters: [Cluster]) -> String? {
    guard !clusters.isEmpty else { return nil }
    let sorted = clusters.leaves.sorted { ($1.enrichment ?? 0, $1.node.tokens) < ($0.enrichment ?? 0, $0.node.tokens) }
    var table = Table(
      sorted.count > limit
        ? "The \(limit) most enriched of \(sorted.count) leaf clusters" : "Leaf clusters, most enriched in the specialist seed first",
      [
        .text("Path"), .text("Terms"), .number("Windows"), .number("Tokens"), .number("Corpus"), .number("Specialist seed"),
        .number("Enrichment"), .number("Mixture"), .number("Epochs"), .text("Label"), .number("Purity"),
      ])
    for cluster in sorted.prefix(limit) {
      table.add([
        cluster.name, cluster.terms.prefix(5).joined(separator: " "), Number.integer(cluster.node.windows),
        Number.compact(cluster.node.tokens), Number.percent(cluster.generalShare), Number.percent(cluster.specialistShare),
        Number.factor(cluster.enrichment), Number.percent(cluster.sampled?.weight), Number.epochs(cluster.sampled?.epochs),
        cluster.node.labels.first?.label ?? "", Number.percent(cluster.node.purity),
      ])
    }
    return table.folded(above: 12)
  }

  static func mixture(_ summary: RunSummary) -> Section? {
    guard let mixture = summary.mixture else { return nil }
    let isCrisp = mixture.method == "crisp"
    return Section(
      "mixture", "Mixture",
      lead: (isCrisp ? "CRISP weights each cluster by its share of the specialist seed." : "A mixture is a weight per cluster.")
        + " Within a cluster, rows are drawn in random order, each once per epoch.",
      [
        HistogramChart(summary.clusters, mixture: mixture)?.figure,
        facts(mixture, seed: summary.results.crisp?.seed, domain: summary.domainShare),
      ])
  }

  private static func facts(_ mixture: Mixture, seed: String?, domain: DomainShare?) -> String {
    Table(
      "Mixture",
      properties: [
        ("Method", mixture.method == "crisp" ? "CRISP" : mixture.method),
        ("Specialist seed", mixture.seedData.isEmpty ? seed : mixture.seedData),
        ("Depth in the cluster tree", Number.integer(mixture.depth)),
        ("Smoothing (pseudo-count, 0 = as published)", Number.trimmed(mixture.smoothing, 3)),
        ("Cap on expected epochs", mixture.maxEpochs.map { Number.trimmed($0, 2) } ?? "none"),
        ("Largest expected epochs over a cluster", Number.epochs(mixture.largestEpochs)),
        ("Weight moved by the cap", Number.percent(mixture.moved)),
        ("Effective sample size, windows", Number.fixed(mixture.effectiveSampleSize)),
        ("Tokens of the run", Number.compact(mixture.runTokens)),
        ("Domain of the specialist seed", domain?.domain),
        ("Its share of the corpus, by tokens", domain.map { Number.percent($0.corpus) }),
        ("Its share of the mixture, by tokens", domain.map { Number.percent($0.mixture) }),
      ]
    ).markup
  }
}
