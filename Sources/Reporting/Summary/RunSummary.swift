/// The result of a run, `summary.json` in its folder: what the report is made from. Every section may be missing.
package struct RunSummary: Sendable, Codable, Equatable {
  /// What the run is called.
  package var title: String?
  /// One sentence about it.
  package var note: String?
  /// When it ended, as written by the caller.
  package var finished: String?
  /// Clustered-importance sampling against its baselines.
  package var crisp: Crisp?
  /// Full against split.
  package var split: Split?
  /// Direct against annealed.
  package var finetune: Finetune?
  /// The law and the allocation.
  package var plan: Plan?
  /// Every stage's account, in order.
  package var accounts: [Account]?
  /// The nodes of the cluster tree.
  package var clusters: [Cluster]?
  /// The mixture.
  package var mixture: Mixture?
  /// Every training run.
  package var training: [Training]?
  /// The steps of the recipe.
  package var steps: [Step]?
  /// Where it ran.
  package var machine: Machine?
  /// The token dataset.
  package var dataset: Dataset?
  /// The tokenizer.
  package var tokenizer: Tokenizer?
  /// What is needed to make it again.
  package var provenance: Provenance?

  /// Creates the value; what is not given is not known.
  package init(
    title: String? = nil, note: String? = nil, finished: String? = nil, crisp: Crisp? = nil, split: Split? = nil,
    finetune: Finetune? = nil, plan: Plan? = nil, accounts: [Account]? = nil, clusters: [Cluster]? = nil, mixture: Mixture? = nil,
    training: [Training]? = nil, steps: [Step]? = nil, machine: Machine? = nil, dataset: Dataset? = nil, tokenizer: Tokenizer? = nil,
    provenance: Provenance? = nil
  ) {
    self.title = title
    self.note = note
    self.finished = finished
    self.crisp = crisp
    self.split = split
    self.finetune = finetune
    self.plan = plan
    self.accounts = accounts
    self.clusters = clusters
    self.mixture = mixture
    self.training = training
    self.steps = steps
    self.machine = machine
    self.dataset = dataset
    self.tokenizer = tokenizer
    self.provenance = provenance
  }

  private enum CodingKeys: String, CodingKey {
    case title, note, finished, crisp, split, finetune, plan, accounts, clusters, mixture, training, steps, machine, dataset, tokenizer,
      provenance
  }
}
