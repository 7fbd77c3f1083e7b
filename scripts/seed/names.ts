/** Given names and family names, by where one might meet them together. */
export const names: { given: string[]; family: string[] }[] = [
  {
    given:
      'Ada Alice Amelia Ben Charlotte Clara Daniel Edith Eleanor Emma Finn Grace Harriet Henry Isaac Jack Jane Leo Lucy Martha Nora Oliver Oscar Rose Ruby Samuel Theo Violet Walter William'.split(
        ' ',
      ),
    family:
      'Abbott Atkinson Bailey Baker Bennett Brooks Carter Clarke Cooper Dawson Ellis Fletcher Foster Graham Hughes Hunter Marsh Mason Morgan Palmer Pearce Porter Reed Shaw Turner Walker Ward Webb Wells Wood'.split(
        ' ',
      ),
  },
  {
    given:
      'Anders Astrid Birgit Elin Erik Freja Greta Henrik Ingrid Jonas Kari Lars Linnea Magnus Maja Nils Oda Rasmus Sigrid Signe Solveig Sven Tove Viggo'.split(
        ' ',
      ),
    family:
      'Berg Bergström Dahl Ekström Eriksen Falk Forsberg Hansen Haugen Holm Jensen Johansen Lindberg Lindqvist Lund Nygård Nyström Sandberg Solberg Strand Sørensen Vik Wallin Åkesson'.split(
        ' ',
      ),
  },
  {
    given:
      'Agathe Antoine Camille Chloé Élise Étienne Gabriel Hugo Inès Jeanne Jules Léa Louis Lucie Manon Margaux Mathieu Noé Paul Pauline Quentin Sylvie Théo Zoé'.split(
        ' ',
      ),
    family:
      'Aubert Bernard Blanchard Carpentier Chevalier Dubois Dupont Fabre Fontaine Garnier Girard Lambert Laurent Lefèvre Marchand Mercier Moreau Perrin Renard Rousseau Roussel Simon Vidal Voisin'.split(
        ' ',
      ),
  },
  {
    given:
      'Alejandro Ana Bruno Carmen Catarina Diego Elena Gonzalo Inés Irene Javier João Lucía Luís Marina Marta Mateo Pablo Pilar Rafael Rosa Sofia Tiago Valeria'.split(
        ' ',
      ),
    family:
      'Almeida Álvarez Barros Campos Carvalho Castro Costa Delgado Duarte Esteban Ferreira Fuentes Gil Herrera Iglesias Lima Marques Medina Moreno Navarro Nunes Ortega Ramos Vega'.split(
        ' ',
      ),
  },
  {
    given:
      'Aarav Aditi Ananya Arjun Asha Dev Divya Farah Ishaan Kabir Kavya Leila Meera Mira Nadia Omar Priya Ravi Rohan Samir Sana Tara Yusuf Zara'.split(
        ' ',
      ),
    family:
      'Ahmed Bhatt Chandra Chopra Das Desai Farouk Gupta Haddad Iyer Joshi Kapoor Khan Khoury Malik Mehta Menon Nair Patel Rahman Rao Saleh Sharma Verma'.split(
        ' ',
      ),
  },
  {
    given:
      'Aiko Akira Chiara Daisuke Emi Haruto Hina Jia Jun Kaito Kenji Lian Mei Min Naoki Ren Rin Sakura Soo-jin Tao Yan Yuki Yuna Zhen'.split(
        ' ',
      ),
    family:
      'Chen Choi Fujita Han Hayashi Huang Inoue Ishikawa Kang Kim Kimura Lee Lin Matsuda Mori Nakamura Park Saito Sato Tanaka Wang Wu Yamada Zhang'.split(
        ' ',
      ),
  },
  {
    given:
      'Amara Adaeze Chidi Efua Emeka Esi Folake Imani Ife Jabari Kofi Kwame Lindiwe Makena Naledi Ngozi Nia Sipho Tendai Thabo Wanjiru Yaw Zola Zuri'.split(
        ' ',
      ),
    family:
      'Abara Achebe Adeyemi Afolabi Asante Boateng Dlamini Eze Kamau Khumalo Mbeki Mensah Moyo Mutua Mwangi Ncube Ndlovu Nwosu Obi Okafor Okeke Osei Otieno Owusu'.split(
        ' ',
      ),
  },
]

export const cities =
  'Bergen Bilbao Bristol Cork Ghent Gothenburg Hamburg Kyoto Lagos Leeds Lisbon Ljubljana Lyon Malmö Marseille Mombasa Montréal Nairobi Porto Pune Seoul Tallinn Trieste Utrecht Valparaíso Wellington'.split(
    ' ',
  )

export const trades = [
  'nurse',
  'teacher',
  'carpenter',
  'bookseller',
  'software developer',
  'baker',
  'bus driver',
  'librarian',
  'architect',
  'sound engineer',
  'gardener',
  'translator',
  'vet',
  'student',
  'electrician',
  'illustrator',
  'marine biologist',
  'postal worker',
  'physiotherapist',
  'cook',
  'journalist',
  'paramedic',
]
