import ArgumentParser

/// `weir plan`: how much compute goes to the shared model and how much to each specialist.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Fit and apply scaling laws and regressions of mixtures.",
    subcommands: [
      PlanSweepCommand.self, PlanFitCommand.self, PlanPredictCommand.self, PlanAllocateCommand.self, PlanMixCommand.self,
    ])
}
