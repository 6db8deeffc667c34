import Training

/// Sizes that are known before anything runs, carried from step to step: what `--dry-run` reports.
package struct Forecast {
  /// The size of a corpus or dataset.
  package struct Size {
    package var documents = 0.0
    /// Bytes of text.
    package var bytes = 0.0
    package var tokens = 0.0
  }

  /// The cost of a command; nil where it is not known or does not apply.
  package struct Row {
    package var documents: Double?
    package var tokens: Double?
    package var flops: Double?
    /// Peak memory in bytes.
    package var memory: Double?
    /// Bytes on disk that remain.
    package var disk: Double?

    package init(documents: Double? = nil, tokens: Double? = nil, flops: Double? = nil, memory: Double? = nil, disk: Double? = nil) {
      (self.documents, self.tokens, self.flops, self.memory, self.disk) = (documents, tokens, flops, memory, disk)
    }

    /// Adds the cost of the next command in the same process: compute and disk add up, memory is the larger, counts are the last ones.
    package mutating func add(_ next: Row) {
      documents = next.documents ?? documents
      tokens = next.tokens ?? tokens
      flops = next.flops.map { $0 + (flops ?? 0) } ?? flops
      memory = next.memory.map { max($0, memory ?? 0) } ?? memory
      disk = next.disk.map { $0 + (disk ?? 0) } ?? disk
    }

    /// Adds the cost of another run by the same command: the tokens add up, too.
    package mutating func add(run: Row) {
      let earlier = tokens ?? 0
      add(run)
      tokens = run.tokens.map { $0 + earlier } ?? tokens
    }
  }

  /// What flows through the pipe whose commands are being asked.
  package var current: Size?
  /// Model configurations, by the run folder that will hold the model.
  package var models: [String: ModelConfiguration] = [:]
  /// Sizes by path.
  package var sizes: [String: Size] = [:]

  package init() {}
}
