import type { PowerAction } from '../src/domain/host-states.ts';
import type { HostBootSpec, HostImageSpec, HostMediaSpec, HostSpec, Job } from '../src/domain/job.ts';
import { region } from './activities.ts';
import { none, type SagaEnd, saga } from './saga.ts';

const readsOnly = none('it reads only');
const leftAsItIs = none('how the host stood before is not known');

/** Nothing is asked of the host: it is written down, or off. */
const recorded =
  (name: string) =>
  (job: Job): Promise<SagaEnd> =>
    saga(job, (step) => step(name, { do: () => Promise.resolve({}), undo: none('the database alone has it') }));
export const createBareMetalHost = recorded('enrol');
export const deleteBareMetalHost = recorded('release');

const verify = (job: Job<HostSpec>): Promise<SagaEnd> =>
  saga(job, (step) => step('verify', { do: () => region(job, 'verify').verifyHost(job.spec), undo: readsOnly }));
export const manageBareMetalHost = verify;
export const adoptBareMetalHost = verify;

export const inspectBareMetalHost = (job: Job<HostSpec>): Promise<SagaEnd> =>
  saga(job, (step) => step('inspect', { do: () => region(job, 'inspect').inspectHost(job.spec), undo: readsOnly }));

/** What is under way is stopped by turning the host off; what is wiped stays wiped. */
const stopped = (job: Job<HostSpec>, name: string) => () => region(job, name).undeployHost(job.spec);

const clean = (job: Job<HostSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('clean', { do: () => region(job, 'clean').cleanHost(job.spec), undo: stopped(job, 'clean') }),
  );
export const cleanBareMetalHost = clean;
export const provideBareMetalHost = clean;

export const deployBareMetalHost = (job: Job<HostImageSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('deploy', { do: () => region(job, 'deploy').deployHost(job.spec), undo: stopped(job, 'deploy') }),
  );

export const rebuildBareMetalHost = (job: Job<HostImageSpec>): Promise<SagaEnd> =>
  saga(job, async (step) => {
    // A host that runs from the same image already would be taken to be on its way.
    await step('power-off', {
      do: () => region(job, 'power-off').setHostPower(job.spec, 'force-off'),
      undo: none('what ran is to be written over'),
    });
    return step('deploy', { do: () => region(job, 'deploy').deployHost(job.spec), undo: stopped(job, 'deploy') });
  });

export const undeployBareMetalHost = (job: Job<HostSpec>): Promise<SagaEnd> =>
  saga(job, async (step) => {
    await step('undeploy', {
      do: () => region(job, 'undeploy').undeployHost(job.spec),
      undo: none('what ran does not come back by itself'),
    });
    return step('clean', { do: () => region(job, 'clean').cleanHost(job.spec), undo: stopped(job, 'clean') });
  });

export const rescueBareMetalHost = (job: Job<HostMediaSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('rescue', {
      do: () => region(job, 'rescue').rescueHost(job.spec),
      undo: () => region(job, 'rescue').unrescueHost(job.spec),
    }),
  );

export const unrescueBareMetalHost = (job: Job<HostSpec>): Promise<SagaEnd> =>
  saga(job, (step) => step('unrescue', { do: () => region(job, 'unrescue').unrescueHost(job.spec), undo: leftAsItIs }));

const power =
  (name: string, action: PowerAction) =>
  (job: Job<HostSpec>): Promise<SagaEnd> =>
    saga(job, (step) => step(name, { do: () => region(job, name).setHostPower(job.spec, action), undo: leftAsItIs }));
export const powerOnBareMetalHost = power('power-on', 'on');
export const powerOffBareMetalHost = power('power-off', 'off');
export const rebootBareMetalHost = power('reboot', 'reboot');

export const setBootDeviceBareMetalHost = (job: Job<HostBootSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('set-boot-device', { do: () => region(job, 'set-boot-device').setHostBoot(job.spec), undo: leftAsItIs }),
  );

export const insertMediaBareMetalHost = (job: Job<HostMediaSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('insert-media', { do: () => region(job, 'insert-media').insertHostMedia(job.spec), undo: leftAsItIs }),
  );

export const ejectMediaBareMetalHost = (job: Job<HostSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('eject-media', { do: () => region(job, 'eject-media').ejectHostMedia(job.spec), undo: leftAsItIs }),
  );
