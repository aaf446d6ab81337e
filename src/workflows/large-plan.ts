/** Whether the input of a run allows a plan of any size, as `planTasks` wants to hear it. */
export function largePlan({ allowLargePlan }: { readonly allowLargePlan?: boolean }): { allowLargePlan?: true } {
  return allowLargePlan === true ? { allowLargePlan } : {};
}
