/// The sections on the data: accounts, dataset, clusters, mixture.
enum DataSections {
  /// The way of the data: what came in, what was dropped and why, what it became.
  static func accounts(_ summary: RunSummary) -> Section? {
    let accounts = summary.accounts ?? []
    return Section(
      "data", "The way of the data",
      lead: "Every record of every stage is accounted for: in = out + dropped + quarantined.",
      [
        AccountsChart(accounts)?.figure, table(accounts), dataset(summary.dataset, summary.tokenizer),
        parts(summary.dataset?.byDomain, "The dataset by domain"), parts(summary.dataset?.bySource, "The dataset by source"),
      ])
  }

  private static func table(_ accounts: [RunSummary.Account]) -> String? {
    guard !accounts.isEmpty else { return nil }
    var table = Table(
      "Accounts, records unless another unit is named",
      [
        .text("Stage"), .number("In"), .number("Out"), .number("Dropped"), .number("Quarantined"), .text("Account"), .number("Read"),
        .number("Written"), .number("Time"), .text("Also"),
      ])
    for account in accounts {
      let balance = account.imbalance.map { $0 == 0 ? "balances" : "off by \(Number.integer($0))" } ?? "unknown"
      let extra = (account.extra ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key.spoken)\(Number.gap)\(Number.compact($0.value))" }
      table.add([
        (account.name ?? "").spoken, Number.integer(account.input), Number.integer(account.output),
        Number.integer(account.droppedTotal), Number.integer(account.quarantinedTotal), balance,
        (account.bytesIn ?? 0) > 0 ? Number.bytes(account.bytesIn) : "", (account.bytesOut ?? 0) > 0 ? Number.bytes(account.bytesOut) : "",
        Number.seconds(account.seconds), extra.joined(separator: ", "),
      ])
    }
    return table.markup
  }

  private static func dataset(_ dataset: RunSummary.Dataset?, _ tokenizer: RunSummary.Tokenizer?) -> String? {
    var parts: [String] = []
    if let dataset {
      if let documents = dataset.documents.finite { parts.append("\(Number.fixed(documents)) documents") }
      if let tokens = dataset.tokens.finite { parts.append("\(Number.compact(tokens)) tokens") }
      if let windows = dataset.windows.finite { parts.append("\(Number.fixed(windows)) windows") }
      if let bytes = dataset.bytes.finite { parts.append("\(Number.bytes(bytes)) of text") }
    }
    var text = parts.isEmpty ? "" : "The dataset holds \(Compare.list(parts))"
    if let ratio = dataset?.bytesPerToken.finite ?? tokenizer?.bytesPerToken.finite, !text.isEmpty {
      text += ", \(Number.fixed(ratio, 2)) bytes a token"
    }
    if !text.isEmpty { text += "." }
    if let tokenizer, let name = tokenizer.name {
      text += text.isEmpty ? "" : " "
      text += "The tokenizer is \(name)" + (tokenizer.vocabulary.map { " with \(Number.integer($0)) tokens" } ?? "") + "."
    }
    return text.isEmpty ? nil : "<p>\(Escape.text(text))</p>"
  }

  private static func parts(_ parts: [RunSummary.Part]?, _ caption: String) -> String? {
    guard let parts, !parts.isEmpty else { return nil }
    let total = parts.reduce(0) { $0 + ($1.tokens.positive ?? 0) }
    var table = Table(caption, [.text("Name"), .number("Documents"), .number("Tokens"), .number("Share"), .number("Text")])
    for part in parts.sorted(by: { ($1.tokens ?? 0) < ($0.tokens ?? 0) }) {
      let share = total > 0 ? part.tokens.finite.map { $0 / total } : nil
      table.add([
        part.name ?? "", Number.fixed(part.documents), Number.compact(part.tokens), Number.percent(share), Number.bytes(part.bytes),
      ])
    }
    return table.folded(above: 12)
  }

  /// The cluster tree as a map and as a table.
  static func clusters(_ summary: RunSummary) -> Section? {
    let clusters = summary.clusters ?? []
    return Section(
      "clusters", "What is in the corpus",
      lead: "Windows of at most 1,024 tokens, embedded and clustered by hierarchical k-means; a cluster’s top terms name it.",
      [ClusterMap(clusters)?.figure, table(clusters)])
  }

  /// Rows of the table of clusters at most.
  private static let limit = 256

  private static func table(_ clusters: [RunSummary.Cluster]) -> String? {
    guard !clusters.isEmpty else { return nil }
    let sorted = ClusterNumbers.leaves(of: clusters).sorted {
      (ClusterNumbers.enrichment($1) ?? 0, $1.tokens ?? 0) < (ClusterNumbers.enrichment($0) ?? 0, $0.tokens ?? 0)
    }
    let isCut = sorted.count > limit
    var table = Table(
      isCut ? "The \(limit) most enriched of \(sorted.count) clusters" : "The clusters, most enriched first",
      [
        .text("Node"), .text("Top terms"), .number("Windows"), .number("Tokens"), .number("Corpus"), .number("Seed"),
        .number("Enrichment"), .number("Drawn"), .number("Epochs"), .text("Label"), .number("Purity"),
      ])
    for cluster in sorted.prefix(limit) {
      table.add([
        ClusterNumbers.name(cluster), (cluster.terms ?? []).prefix(5).joined(separator: " "), Number.fixed(cluster.windows),
        Number.compact(cluster.tokens), Number.percent(cluster.generalShare ?? cluster.share), Number.percent(cluster.seedShare),
        Number.factor(ClusterNumbers.enrichment(cluster)), Number.percent(cluster.weight), Number.epochs(cluster.expectedEpochs),
        cluster.domain ?? "", cluster.purity.finite == nil ? "" : Number.percent(cluster.purity),
      ])
    }
    return table.folded(above: 12)
  }

  /// The histogram and the mixture.
  static func mixture(_ summary: RunSummary) -> Section? {
    Section(
      "mixture", "From the seed to the mixture",
      lead: "The seed only says which clusters to draw from: a cluster is drawn by its share of the seed, a window uniformly within.",
      [HistogramChart(summary.clusters ?? [], mixture: summary.mixture)?.figure, facts(summary.mixture, summary.crisp)])
  }

  private static func facts(_ mixture: RunSummary.Mixture?, _ crisp: RunSummary.Crisp?) -> String? {
    guard let mixture else { return nil }
    var table = Table("The mixture", [.text("What"), .number("Value")])
    let rows: [(String, String?)] = [
      ("Method", mixture.method), ("Seed", mixture.seedData ?? crisp?.seed), ("Depth of the tree", mixture.depth.map(Number.integer)),
      ("Smoothing, pseudo-count (0 = as published)", mixture.smoothing.finite.map { Number.trimmed($0, 3) }),
      ("Cap on expected epochs", mixture.maxEpochs.finite.map { Number.trimmed($0, 2) }),
      ("Largest expected epochs of a cluster", mixture.largestEpochs.finite.map { Number.factor($0) }),
      ("Probability moved by the cap", mixture.moved.finite.map { Number.percent($0) }),
      ("Effective sample size, windows", mixture.effectiveSampleSize.finite.map { Number.fixed($0) }),
      ("Tokens of the run", mixture.runTokens.finite.map { Number.compact($0) }),
      ("The seed’s domain in the draw", crisp?.domainShareInDraw.finite.map { Number.percent($0) }),
      ("The seed’s domain in the corpus", crisp?.domainShareInCorpus.finite.map { Number.percent($0) }),
    ]
    for (name, value) in rows { if let value { table.add([name, value]) } }
    return table.rowCount > 0 ? table.markup : nil
  }
}
